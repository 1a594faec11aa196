import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { RECORDED, RECORDINGS, type RunTruth, truthOf } from '../../test/support/recorded-truth.ts';
import { type CoreFields, entersTotals } from './core-fields.ts';
import type { CoreSnapshot } from './message.ts';
import { RecordingServer } from './recording-server.ts';
import { readRecording } from './replay.ts';

/** The truth of the README, from frames alone: between the first and the last frame of each core run. */
class RunBooks {
  readonly runs: RunTruth[] = [];
  #frames = 0;
  #firstTotals = 0;
  #lastTotals = 0;
  #first = new Map<string, number>();
  #last = new Map<string, { bytes: number; counted: boolean }>();

  take(frame: string): void {
    const snapshot = JSON.parse(frame) as CoreSnapshot;
    const totals = snapshot.downloadTotal + snapshot.uploadTotal;
    if (totals < this.#lastTotals) this.end();
    if (this.#frames === 0) this.#firstTotals = totals;
    this.#lastTotals = totals;
    for (const record of snapshot.connections ?? []) {
      const bytes = record.download + record.upload;
      if (!this.#first.has(record.id)) this.#first.set(record.id, this.#frames === 0 ? bytes : 0);
      this.#last.set(record.id, { bytes, counted: entersTotals(record.metadata as CoreFields) });
    }
    this.#frames++;
  }

  end(): void {
    const sums = { counted: 0, overlay: 0, overlayIds: 0 };
    for (const [id, { bytes, counted }] of this.#last) {
      sums[counted ? 'counted' : 'overlay'] += bytes - this.#first.get(id)!;
      if (!counted) sums.overlayIds++;
    }
    const delta = this.#lastTotals - this.#firstTotals;
    this.runs.push({
      frames: this.#frames,
      ids: this.#last.size,
      totals: delta,
      unattributed: delta - sums.counted,
      ...sums,
    });
    this.#frames = 0;
    this.#lastTotals = 0;
    this.#first = new Map();
    this.#last = new Map();
  }
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test.each(RECORDED)('reading %s gives the truth of its table', async (name, truth) => {
  const books = new RunBooks();
  for await (const event of readRecording(`${RECORDINGS}/${name}`))
    if ('frame' in event) books.take(event.frame);
  books.end();
  expect(books.runs).toEqual(truth);
});

test('a file of bare snapshots is read a second apart', async () => {
  const events = [];
  for await (const event of readRecording(`${RECORDINGS}/hand-made-snapshots.ndjson`)) events.push(event);
  expect(events.map((event) => event.at)).toEqual(events.map((_, index) => index * 1000));
  for (const event of events) expect('frame' in event && event.frame.endsWith('}\n')).toBe(true);
});

test.each(['missing.ndjson', 'missing.ndjson.gz'])(
  'a file that is not there is an error (%s)',
  async (name) => {
    await expect(readRecording(`${RECORDINGS}/${name}`).next()).rejects.toMatchObject({ code: 'ENOENT' });
  },
);

describe('a served recording', () => {
  test('reaches a client whole, with the restart as it was', async () => {
    const name = 'mihomo-2026-06-restart.ndjson.gz';
    const server = new RecordingServer({ path: `${RECORDINGS}/${name}`, secret: 's' });
    await server.start();
    cleanups.push(() => server.stop());
    const books = new RunBooks();
    const codes: number[] = [];
    let done = false;
    let refused = 0;
    let frames = 0;
    const connect = () => {
      if (done) return;
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/connections?token=s`);
      socket.on('message', (data) => {
        frames++;
        books.take(String(data));
      });
      socket.on('error', () => refused++);
      socket.on('close', (code) => {
        codes.push(code);
        setTimeout(connect, 20);
      });
      cleanups.push(() => socket.terminate());
    };
    connect();
    await server.play({ speed: 50 });
    while (frames < 58) await new Promise((resolve) => setTimeout(resolve, 5));
    done = true;
    books.end();
    expect(books.runs).toEqual(truthOf(name));
    expect(codes[0]).toBe(1006);
    expect(refused).toBeGreaterThan(0);
  });

  test('plays as fast as a client reads', async () => {
    const name = 'mihomo-2026-06.ndjson.gz';
    const server = new RecordingServer({ path: `${RECORDINGS}/${name}` });
    await server.start();
    cleanups.push(() => server.stop());
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/connections`);
    cleanups.push(() => socket.terminate());
    const books = new RunBooks();
    let frames = 0;
    socket.on('message', (data) => {
      frames++;
      books.take(String(data));
    });
    await server.play({ speed: Number.POSITIVE_INFINITY });
    while (frames < 70) await new Promise((resolve) => setTimeout(resolve, 5));
    books.end();
    expect(books.runs).toEqual(truthOf(name));
  });
});
