import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoreTable, T } from '../books/books.test-support.ts';
import { AgentClock } from '../clock.ts';
import { JournalBench } from '../journal/journal.test-support.ts';
import { Recorder } from './recorder.ts';

const MINUTE = T / 60_000;

let b: JournalBench;
let now: number;
let recorder: Recorder;
let core: CoreTable;
beforeEach(() => {
  b = new JournalBench();
  now = T;
  begin();
});
afterEach(() => b.remove());

function begin(): void {
  const clock = new AgentClock({ newestMinute: b.journal.newestMinute(), buildDate: 0, wall: () => now });
  const logger = pino({ level: 'silent' });
  recorder = new Recorder({ journal: b.journal, clock, logger, retentionDays: 7, journalBudget: 2 ** 29 });
  recorder.opened({ version: 'v', kind: 'mihomo', clockOffsetMs: 0, fresh: true, polled: false });
  core = new CoreTable();
}

/** The process ends without a word and begins again. */
function crash(): void {
  b.restarts();
  begin();
}

function see(seconds: number, bytes: number): void {
  now = T + seconds * 1000;
  recorder.snapshot(core.diff(now, [bytes, 0], { a: [bytes, 0] }));
}

const rows = () =>
  b
    .rows(`SELECT minute - ${MINUTE} AS minute, down FROM samples ORDER BY minute`)
    .map(({ minute, down }) => [minute, down]);
const packed = () => b.count('running');

describe('the running minute', () => {
  beforeEach(() => {
    see(0, 0);
    see(1, 100);
    recorder.flush(false);
  });

  it('is packed until it ends, also when nothing moves any more', () => {
    expect([rows(), packed()]).toEqual([[], 1]);
    see(5, 300);
    recorder.flush(false);
    expect([rows(), packed()]).toEqual([[], 1]);
    now = T + 61_000;
    recorder.flush(false);
    expect([rows(), packed()]).toEqual([[[0, 300]], 0]);
  });

  it('becomes rows when a sync or a stop wants all, also after a restart in which nothing moved', () => {
    crash();
    expect([rows(), packed()]).toEqual([[], 1]);
    recorder.flush();
    expect([rows(), packed()]).toEqual([[[0, 100]], 0]);
  });

  it('is gone on with after a crash: nothing twice, and only what was not flushed is recovered', () => {
    see(3, 150);
    crash();
    see(10, 400);
    recorder.flush();
    expect(rows()).toEqual([[0, 400]]);
    expect(b.rows('SELECT rdown FROM samples')).toEqual([{ rdown: 300 }]);
  });

  it('is a row at once when the connection closes', () => {
    now = T + 2000;
    recorder.snapshot(core.diff(now, [100, 0], {}));
    recorder.flush(false);
    expect([rows(), packed()]).toEqual([[[0, 100]], 0]);
  });

  it('is kept in memory while the journal cannot be written', () => {
    b.journal.db.pragma('query_only = ON');
    see(70, 700);
    expect(recorder.flush(false)).toBe(false);
    b.journal.db.pragma('query_only = OFF');
    expect(recorder.flush(false)).toBe(true);
    const [[minute, down] = []] = rows();
    expect([minute, (down as number) > 100 && (down as number) < 700, packed()]).toEqual([0, true, 1]);
    recorder.flush();
    expect(rows().at(-1)).toEqual([1, 700]);
  });
});
