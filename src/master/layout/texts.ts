import type { Statement } from 'better-sqlite3';
import type { Sqlite } from '../../common/sqlite.ts';

/** Characters of one generation of texts in memory, each text counted with what a Map needs for it; two are kept. */
const GENERATION = 4_000_000;
const ENTRY = 64;

/**
 * The dictionary: each text once, by number. The ones met lately are kept in memory, for nearly all of a connection is
 * known from one before. They run ahead of the file in a transaction, so one that fails forgets them all (`forget`).
 */
export class Texts {
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #generation: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #size = 0;

  constructor(db: Sqlite, generation = GENERATION) {
    this.#generation = generation;
    this.#find = db.prepare('SELECT id FROM texts WHERE text = ?').pluck();
    this.#insert = db.prepare('INSERT INTO texts (text) VALUES (?)');
  }

  forget(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#size = 0;
  }

  /** Its id, which it is given if it has none. A row of another program's may hold bytes instead of text. */
  idOf(text: string | Buffer): number {
    return this.known(text) ?? this.#add(text);
  }

  /** Its id, or undefined where no record ever had it. */
  known(text: string | Buffer): number | undefined {
    if (typeof text !== 'string') return this.#find.get(text) as number | undefined;
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const id = this.#old.get(text) ?? (this.#find.get(text) as number | undefined);
    if (id !== undefined) this.#keep(text, id);
    return id;
  }

  #add(text: string | Buffer): number {
    const id = Number(this.#insert.run(text).lastInsertRowid);
    if (typeof text === 'string') this.#keep(text, id);
    return id;
  }

  #keep(text: string, id: number): void {
    if (this.#size > this.#generation) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#size = 0;
    }
    this.#young.set(text, id);
    this.#size += text.length + ENTRY;
  }
}

/** Texts kept by number at most; as many as a lot of facts can name, and more than most do. */
const MAX_NAMED = 100_000;

const readers = new WeakMap<Sqlite, TextNames>();

/** Those of an open file, kept from one question to the next: what a number stands for does not change. */
export function textNames(db: Sqlite): TextNames {
  const names = readers.get(db) ?? new TextNames(db);
  readers.set(db, names);
  return names;
}

/** The dictionary the other way round: what a number stands for. For many rows; a text is looked up once. */
export class TextNames {
  readonly #find: Statement;
  readonly #known = new Map<number, string>();

  constructor(db: Sqlite) {
    this.#find = db.prepare('SELECT text FROM texts WHERE id = ?').pluck();
  }

  /** The text of a value of a text column: by its id; null for NULL. A text stands for itself, and so do bytes. */
  of<T>(value: number | T): string | T {
    if (typeof value !== 'number') return value;
    let text = this.#known.get(value);
    if (text === undefined) {
      text = String(this.#find.get(value) ?? '');
      if (this.#known.size >= MAX_NAMED) this.#known.clear();
      this.#known.set(value, text);
    }
    return text;
  }
}
