import { csvValue } from './csv.ts';

export interface CsvRow {
  /** Of the file, from 1, where the row begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Longest row, in characters: more than a record's fields at their greatest lengths. Beyond it a quote was left open. */
export const MAX_ROW = 4 * 1024 * 1024;

/**
 * Reads what `csvLine` writes, however it comes in pieces; ends of lines may be CRLF or LF. Throws for a quote that is
 * never closed, since everything after it would be in doubt.
 */
export class CsvReader {
  #cells: string[] = [];
  #cell = '';
  #state: 'plain' | 'quoted' | 'after-quote' = 'plain';
  #line = 1;
  #rowLine = 1;
  #size = 0;

  *push(text: string): Generator<CsvRow> {
    for (const character of text) {
      this.#size += character.length;
      if (this.#size > MAX_ROW)
        throw new Error(`the row of line ${this.#rowLine} does not end within ${MAX_ROW} characters`);
      if (character === '\n') this.#line++;
      if (this.#state === 'quoted') {
        if (character === '"') this.#state = 'after-quote';
        else this.#cell += character;
      } else if (character === '"' && (this.#state === 'after-quote' || this.#cell === '')) {
        // Doubled within quotes, it is one; at the beginning of a cell it opens them.
        if (this.#state === 'after-quote') this.#cell += '"';
        this.#state = 'quoted';
      } else if (character === ',') {
        this.#endCell();
      } else if (character === '\n') {
        yield this.#endRow();
      } else if (character !== '\r') {
        this.#cell += character;
      }
    }
  }

  /** What is left where the last line has no end. */
  *end(): Generator<CsvRow> {
    if (this.#state === 'quoted') throw new Error(`a quote of line ${this.#rowLine} is not closed`);
    if (this.#cell !== '' || this.#cells.length > 0) yield this.#endRow();
  }

  #endCell(): void {
    this.#cells.push(csvValue(this.#cell));
    this.#cell = '';
    this.#state = 'plain';
  }

  #endRow(): CsvRow {
    this.#endCell();
    const row = { line: this.#rowLine, cells: this.#cells };
    this.#cells = [];
    this.#rowLine = this.#line;
    this.#size = 0;
    return row;
  }
}
