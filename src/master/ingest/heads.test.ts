import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Sqlite } from '../../common/sqlite.ts';
import { Heads } from './heads.ts';
import { RECORDS_FILE } from './schema.ts';

let db: Sqlite;
let heads: Heads;
let stream: number;
beforeEach(() => {
  db = openStore(':memory:', RECORDS_FILE);
  heads = new Heads(db);
  stream = heads.stream('a', 's', 1).num;
});
afterEach(() => db.close());

const judge = (boot: string, prev: string | null, inflight: string[] = [], of = stream) => {
  const { ok, headBefore } = heads.judge(of, boot, prev, inflight);
  return { ok, headBefore };
};

describe('whether a batch goes on from what the master has', () => {
  it('a stream without a head takes one that has none either', () => {
    expect(judge('b1', null)).toEqual({ ok: true, headBefore: null });
    expect(judge('b1', 'old')).toEqual({ ok: false, headBefore: null });
    expect(judge('b1', null, ['lost'])).toEqual({ ok: true, headBefore: null });
  });

  it('`prev` is the head, or the head is among those in flight', () => {
    heads.move(stream, 'b1', 'x1', 1);
    expect(judge('b1', 'x1').ok).toBe(true);
    expect(judge('b1', 'x0', ['x1']).ok).toBe(true);
    expect(judge('b1', null, ['x1']).ok).toBe(true);
    expect(judge('b1', 'x0', ['x2'])).toEqual({ ok: false, headBefore: 'x1' });
    expect(judge('b1', null)).toEqual({ ok: false, headBefore: 'x1' });
  });

  it('any head of the stream will do, and the boot’s own is named, else the newest', () => {
    heads.move(stream, 'b1', 'x1', 1);
    heads.move(stream, 'b2', 'x2', 2);
    expect(judge('b3', 'x1')).toEqual({ ok: true, headBefore: 'x2' });
    expect(judge('b1', 'x2')).toEqual({ ok: true, headBefore: 'x1' });
    expect(judge('b3', 'nowhere')).toEqual({ ok: false, headBefore: 'x2' });
  });

  it('streams and agents know nothing of each other', () => {
    heads.move(stream, 'b1', 'x1', 1);
    for (const other of [heads.stream('a', 's2', 2), heads.stream('b', 's', 2)]) {
      expect(judge('b1', 'x1', [], other.num)).toEqual({ ok: false, headBefore: null });
    }
  });

  it('of many boots the sixteen newest heads stay', () => {
    for (let i = 0; i < 20; i++) heads.move(stream, `b${i}`, `x${i}`, i);
    expect(db.prepare('SELECT count(*) FROM heads').pluck().get()).toBe(16);
    expect(judge('new', 'x3').ok).toBe(false);
    expect(judge('new', 'x4').ok).toBe(true);
    expect(judge('b4', 'x19')).toEqual({ ok: true, headBefore: 'x4' });
  });
});
