import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Sqlite } from '../../common/sqlite.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import { EMPTY_TEXTS } from './columns.ts';
import { TextNames, Texts } from './texts.ts';

let db: Sqlite;
beforeEach(() => {
  db = openStore(':memory:', RECORDS_FILE);
});
afterEach(() => db.close());

const stored = () => new Map(db.prepare('SELECT text, id FROM texts').raw().all() as [string, number][]);

describe('texts by number', () => {
  it('are the same in memory and in the file, though memory holds few of them', () => {
    // Room for some ten texts in each generation.
    const texts = new Texts(db, 700);
    const names = Array.from({ length: 200 }, (_, i) => `host-${(i * 7) % 50}.example`);
    const ids = names.map((name) => texts.idOf(name));
    const known = stored();
    expect(ids).toEqual(names.map((name) => known.get(name)));
    expect(known.size).toBe(50 + EMPTY_TEXTS.length);
    const back = new TextNames(db);
    expect(ids.map((id) => back.of(id))).toEqual(names);
  });

  it('that say nothing have numbers of their own', () => {
    const texts = new Texts(db);
    expect(EMPTY_TEXTS.map((text) => texts.idOf(text))).toEqual([0, 1, 2]);
  });

  it('of a transaction that failed are not known any more', () => {
    const texts = new Texts(db);
    const failing = db.transaction(() => {
      texts.idOf('first');
      texts.idOf('second');
      throw new Error('failed');
    });
    expect(failing).toThrow('failed');
    texts.forget();
    expect(texts.known('second')).toBeUndefined();
    // What takes the number of the first must not be taken for it.
    expect(texts.idOf('second')).not.toBe(texts.idOf('first'));
    expect(new Map(['first', 'second'].map((text) => [text, texts.idOf(text)]))).toEqual(
      new Map([...stored()].filter(([text]) => text === 'first' || text === 'second').sort()),
    );
  });

  it('are told apart by case, by blanks and by what looks alike', () => {
    const texts = new Texts(db);
    const alike = ['a', 'A', 'a ', 'а', 'e\u0301', 'é', 'a\u0000'];
    expect(new Set(alike.map((text) => texts.idOf(text))).size).toBe(alike.length);
    texts.forget();
    expect(alike.map((text) => new TextNames(db).of(texts.idOf(text)))).toEqual(alike);
  });

  it('may be bytes, in a row that another program wrote', () => {
    const texts = new Texts(db);
    const id = texts.idOf(Buffer.from('host'));
    expect(texts.idOf(Buffer.from('host'))).toBe(id);
    expect(texts.idOf('host')).not.toBe(id);
  });
});
