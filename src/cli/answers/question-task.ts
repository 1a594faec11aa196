import { isatty } from 'node:tty';
import { wantsColour } from '../../agent/monitor/standard-output.ts';
import { visible } from '../../agent/monitor/visible.ts';
import { CodedError } from '../../common/errors.ts';
import { csvLine } from '../../domain/csv.ts';
import { type Answered, successOf } from '../api-answer.ts';
import type { Task } from '../program.ts';
import { explain } from '../run-program.ts';
import { type Answerer, type Asked, answererOf } from './ask.ts';
import { failureText } from './failure-text.ts';
import { type Paper, renderSheet, type Sheet } from './sheet.ts';

const STDOUT = 1;
/** The question itself is wrong. */
const USAGE = 2;
/** It is right, and nobody could answer it. */
const FAILED = 1;

/** What is asked of the API. */
export interface ApiQuestion {
  /** Below `/api/v1`. */
  readonly path: string;
  /** Null for a GET. */
  readonly body: object | null;
  /** The filter in it, to show where it is wrong. */
  readonly filter: string | undefined;
  /** How a field of it is called on the command line. */
  nameOf(field: string): string;
}

/** The answer in the forms that it can be printed in. */
export interface Printable {
  readonly sheet: Sheet;
  /** Rows of CSV, the head first. */
  readonly csv: readonly (readonly (string | number | null)[])[];
  /** Exit code; default 0. */
  readonly code?: number;
}

/**
 * Asks, and prints the answer: a table with its notes, or for other programs JSON as the API answers it, or CSV, with
 * the notes on standard error. Resolves to 0, 1 when nobody could answer, 2 when the question is wrong, or the code
 * of the answer.
 */
export function questionTask<Data, Meta>(
  values: Asked & { json: boolean; csv: boolean },
  questionOf: () => Promise<ApiQuestion>,
  printableOf: (answer: Answered<Data, Meta>) => Printable,
): Task {
  return {
    async run(told) {
      let question: ApiQuestion | undefined;
      let answerer: Answerer | undefined;
      try {
        question = await questionOf();
        answerer = await answererOf(values);
        const reply = await answerer.ask(question.path, question.body, told);
        const answer = successOf<Data, Meta>(reply, values.url ?? values.database);
        const printable = printableOf(answer);
        await printed(values, answer, printable, answerer.notes);
        return printable.code ?? 0;
      } catch (error) {
        // Told to end: who did that knows why there is no answer.
        if (told.aborted) return FAILED;
        const coded = error instanceof CodedError;
        console.error(coded ? failureText(error, question) : explain(error));
        return coded && error.status === 400 ? USAGE : FAILED;
      } finally {
        await answerer?.close();
      }
    },
  };
}

async function printed(
  { json, csv }: { json: boolean; csv: boolean },
  answer: Answered<unknown>,
  { sheet, csv: rows }: Printable,
  notes: readonly string[],
): Promise<void> {
  if (!json && !csv) {
    const whole = { ...sheet, notes: [...sheet.notes, ...notes] };
    await write(`${renderSheet(whole, paperOf())}\n`);
    return;
  }
  await write(json ? `${JSON.stringify(answer, null, 2)}\n` : rows.map(csvLine).join(''));
  // `meta` says in JSON what the notes of an answer say.
  for (const note of csv ? [...sheet.notes, ...notes] : notes) console.error(visible(note));
}

function paperOf(): Paper {
  const terminal = isatty(STDOUT);
  return {
    width: terminal ? (process.stdout.columns ?? null) : null,
    colour: wantsColour(terminal, process.env),
  };
}

/** Resolves when it is written: the process ends right after, and would cut off what still waits. */
function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
