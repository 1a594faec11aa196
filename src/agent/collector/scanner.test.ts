import { describe, expect, it } from 'vitest';
import type { SnapshotDiff } from '../../domain/snapshot.ts';
import { SnapshotScanner } from './scanner.ts';

const frame = (connections: string, totals = '"downloadTotal":10,"uploadTotal":20') =>
  Buffer.from(`{${totals},"connections":${connections},"memory":0}\n`);

const record = (id: string, upload: number | string, download: number | string, extra = '') =>
  `{"id":"${id}","metadata":{"host":"a.test","type":"HTTP"},"upload":${upload},"download":${download},"rule":""${extra}}`;

function good(scanner: SnapshotScanner, bytes: Buffer, at = 1): SnapshotDiff {
  const outcome = scanner.scan(bytes, at);
  if (!outcome.ok) throw new Error(`${outcome.problem}: ${outcome.detail}`);
  return outcome.diff;
}

const summary = (diff: SnapshotDiff) => ({
  added: diff.added.map((c) => c.fields.id),
  changed: diff.changed.map((c) => [c.fields.id, c.upload, c.download]),
  removed: diff.removed.map((c) => c.fields.id),
  listed: diff.listed,
  skipped: diff.skipped,
});

describe('SnapshotScanner', () => {
  it('tells what was added, changed and removed, and keeps one object for a connection', () => {
    const scanner = new SnapshotScanner();
    const first = good(scanner, frame(`[${record('a', 1, 2)},${record('b', 3, 4)}]`));
    expect(summary(first)).toEqual({ added: ['a', 'b'], changed: [], removed: [], listed: 2, skipped: 0 });
    expect(first).toMatchObject({ downloadTotal: 10, uploadTotal: 20 });
    const a = first.added[0];
    const second = good(scanner, frame(`[${record('c', 0, 0)},${record('a', 1, 2000)}]`));
    expect(summary(second)).toMatchObject({ added: ['c'], changed: [['a', 1, 2000]], removed: ['b'] });
    expect(second.changed[0]).toBe(a);
  });

  it.each(['null', '[]', '[ ]'])('takes connections %s as none', (text) => {
    const scanner = new SnapshotScanner();
    good(scanner, frame(`[${record('a', 1, 2)}]`));
    expect(summary(good(scanner, frame(text)))).toMatchObject({ removed: ['a'], listed: 0 });
  });

  it('takes a frame without connections as an empty one', () => {
    expect(good(new SnapshotScanner(), Buffer.from('{"downloadTotal":0,"uploadTotal":0}')).listed).toBe(0);
  });

  it.each([
    ['not-json', ''],
    ['not-json', '<html>'],
    ['not-json', '{"downloadTotal":1,"uploadTotal":2,"connections":['],
    ['not-json', '{"downloadTotal":1,"uploadTotal":2,"connections":null}x'],
    ['not-json', '{"downloadTotal":01,"uploadTotal":2,"connections":null}'],
    ['not-json', '{"downloadTotal":1,"uploadTotal":2,"connections":[{"id":"a",}]}'],
    ['not-json', '{"downloadTotal":1,"uploadTotal":2,"connections":[,]}'],
    ['not-a-snapshot', '[]'],
    ['not-a-snapshot', '{"downloadTotal":1,"uploadTotal":2,"connections":{}}'],
    ['no-totals', '{"message":"Unauthorized"}'],
    ['no-totals', '{"downloadTotal":"1","uploadTotal":2,"connections":null}'],
    ['no-totals', '{"downloadTotal":9223372036854775807,"uploadTotal":2,"connections":null}'],
    ['no-totals', '{"downloadTotal":-1,"uploadTotal":2,"connections":null}'],
  ])('answers %s for %s and stays as it was', (problem, text) => {
    const scanner = new SnapshotScanner();
    const before = frame(`[${record('a', 1, 2)}]`);
    good(scanner, before);
    expect(scanner.scan(Buffer.from(text), 1)).toMatchObject({ ok: false, problem });
    expect(summary(good(scanner, before))).toEqual({
      added: [],
      changed: [],
      removed: [],
      listed: 1,
      skipped: 0,
    });
  });

  it('never quotes the feed in what it says is wrong', () => {
    const outcome = new SnapshotScanner().scan(frame('[{"id":"a","host":"secret.example",x}]'), 1);
    expect(outcome.ok).toBe(false);
    expect(JSON.stringify(outcome)).not.toContain('secret');
  });

  it('skips bad records and keeps the rest', () => {
    const bad = [
      record('n', -1, 2),
      record('f', 1.5, 2),
      record('', 1, 2),
      '{"upload":1,"download":1}',
      '7',
      'null',
    ];
    const diff = good(new SnapshotScanner(), frame(`[${[...bad, record('a', 1, 2)].join(',')}]`));
    expect(summary(diff)).toMatchObject({ added: ['a'], listed: 1, skipped: 6 });
  });

  it('keeps a known connection whose record is unreadable for once', () => {
    const scanner = new SnapshotScanner();
    good(scanner, frame(`[${record('a', 1, 2)}]`));
    expect(summary(good(scanner, frame(`[${record('a', 'null', 5)}]`)))).toEqual({
      added: [],
      changed: [],
      removed: [],
      listed: 1,
      skipped: 1,
    });
    expect(summary(good(scanner, frame(`[${record('a', 3, 5)}]`)))).toMatchObject({ changed: [['a', 3, 5]] });
    good(scanner, frame(`[${record('a', '""', 5)}]`));
    expect(summary(good(scanner, frame('null')))).toMatchObject({ removed: ['a'], listed: 0 });
  });

  it('counts a record that is listed twice once', () => {
    const scanner = new SnapshotScanner();
    const twice = frame(`[${record('a', 1, 2)},${record('a', 9, 9)}]`);
    expect(summary(good(scanner, twice))).toMatchObject({ added: ['a'], listed: 1, skipped: 0 });
    expect(summary(good(scanner, twice))).toMatchObject({ added: [], changed: [], listed: 1 });
  });

  it.each([
    ['too large', '9007199254740992', '2'],
    ['with a leading zero', '007', '2'],
    ['too long', '10000000000000000', '2'],
    ['negative', '-1', '2'],
  ])('does not take a counter %s on the fast path', (_, upload, download) => {
    const scanner = new SnapshotScanner();
    good(scanner, frame(`[${record('a', 1, 2)}]`));
    const outcome = scanner.scan(frame(`[${record('a', upload, download)}]`), 1);
    if (outcome.ok) expect(summary(outcome.diff)).toMatchObject({ changed: [], skipped: 1, listed: 1 });
    else expect(outcome.problem).toBe('not-json');
  });

  it('reads the key that the parser would: the last of equals, escapes resolved', () => {
    const scanner = new SnapshotScanner();
    const odd = (n: number) => `[${record('a', 1, 2, `,"\\u0075pload":${n},"download":${n}`)}]`;
    good(scanner, frame(odd(5)));
    expect(summary(good(scanner, frame(odd(6))))).toMatchObject({ changed: [['a', 6, 6]] });
    expect(summary(good(scanner, frame(`[${record('a', 7, 7, ',"upload":8')}]`)))).toMatchObject({
      changed: [['a', 8, 7]],
    });
    expect(summary(good(scanner, frame(`[${record('a', 9, 7, ',"upload":8')}]`)))).toMatchObject({
      changed: [],
    });
  });

  it('folds connections beyond its bound and takes them in when there is room', () => {
    const scanner = new SnapshotScanner(2);
    const diff = good(scanner, frame(`[${['a', 'b', 'c', 'd'].map((id) => record(id, 1, 2)).join(',')}]`));
    expect(summary(diff)).toMatchObject({ added: ['a', 'b'], listed: 2, skipped: 0 });
    expect(scanner.folded).toBe(2);
    good(scanner, frame(`[${record('a', 1, 2)},${record('c', 1, 2)}]`));
    expect(summary(good(scanner, frame(`[${record('a', 1, 2)},${record('c', 1, 2)}]`)))).toMatchObject({
      added: ['c'],
    });
  });

  it('does not go back in time, unless the clock was corrected by more than a minute', () => {
    const scanner = new SnapshotScanner();
    expect(good(scanner, frame('null'), 500_000).at).toBe(500_000);
    expect(good(scanner, frame('null'), 490_000).at).toBe(500_000);
    expect(good(scanner, frame('null'), 300_000).at).toBe(300_000);
  });

  it('calls a dialer-proxy hop overlay', () => {
    const hop = record('a', 1, 2).replace('HTTP', 'Inner');
    expect(
      good(new SnapshotScanner(), frame(`[${hop},${record('b', 1, 2)}]`)).added.map((c) => c.counted),
    ).toEqual([false, true]);
  });
});
