import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes, ConnectionFields } from '../../domain/connection.ts';
import { readCounter, readCounters, readId, readRecord } from './reader.ts';
import { SnapshotScanner } from './scanner.ts';

type Plain = Bytes & { fields: ConnectionFields };

interface PlainDiff {
  downloadTotal: number;
  uploadTotal: number;
  added: Plain[];
  changed: Plain[];
  removed: Plain[];
  listed: number;
  skipped: number;
}

const byId = (a: Plain, b: Plain) => (a.fields.id < b.fields.id ? -1 : 1);
const copy = ({ fields, download, upload }: Plain): Plain => ({ fields: { ...fields }, download, upload });

/** What the scanner promises, in the plainest way: parse both frames whole and compare. */
class Reference {
  #known = new Map<string, Plain>();
  folded = 0;

  readonly maxTracked: number;

  constructor(maxTracked: number) {
    this.maxTracked = maxTracked;
  }

  diff(bytes: Buffer): PlainDiff | undefined {
    let frame: Record<string, unknown>;
    try {
      frame = JSON.parse(bytes.toString('utf8'));
    } catch {
      return undefined;
    }
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return undefined;
    const list = frame.connections ?? [];
    const { downloadTotal, uploadTotal } = frame;
    if (!Array.isArray(list) || typeof downloadTotal !== 'number' || typeof uploadTotal !== 'number') return;
    if (readCounter(downloadTotal) === undefined || readCounter(uploadTotal) === undefined) return undefined;
    const next = new Map<string, Plain>();
    const added: Plain[] = [];
    const changed: Plain[] = [];
    let skipped = 0;
    for (const value of list) {
      const id = readId(value);
      const counters = readCounters(value);
      if (id === undefined || counters === undefined) skipped++;
      if (id === undefined || next.has(id)) continue;
      const before = this.#known.get(id);
      if (before !== undefined) {
        const now = { fields: before.fields, ...(counters ?? before) };
        next.set(id, { fields: now.fields, download: now.download, upload: now.upload });
        if (now.download !== before.download || now.upload !== before.upload) changed.push(now);
      } else if (counters !== undefined) {
        if (this.#known.size + added.length >= this.maxTracked) this.folded++;
        else {
          const reading = readRecord(value)!;
          next.set(id, reading);
          added.push(reading);
        }
      }
    }
    const removed = [...this.#known.values()].filter((old) => !next.has(old.fields.id));
    this.#known = next;
    return { downloadTotal, uploadTotal, added, changed, removed, listed: next.size, skipped };
  }
}

/** Scans the frames both ways and compares all that comes out. */
function compare(frames: readonly Buffer[], maxTracked = 1000): void {
  const scanner = new SnapshotScanner(maxTracked);
  const reference = new Reference(maxTracked);
  for (const [i, bytes] of frames.entries()) {
    const expected = reference.diff(bytes);
    const outcome = scanner.scan(bytes, 1000 + i);
    expect(outcome.ok, bytes.toString()).toBe(expected !== undefined);
    if (!outcome.ok || expected === undefined) continue;
    const { at: _, added, changed, removed, ...rest } = outcome.diff;
    const plain = (list: Plain[]) => list.map(copy).sort(byId);
    expect({ ...rest, added: plain(added), changed: plain(changed), removed: plain(removed) }).toEqual({
      ...expected,
      added: plain(expected.added),
      changed: plain(expected.changed),
      removed: plain(expected.removed),
    });
    expect(scanner.folded).toBe(reference.folded);
  }
}

/** Decisions drawn from a list of numbers, 0 (the plainest) when it is used up: so that failures shrink. */
class Choices {
  #at = 0;
  readonly #numbers: readonly number[];

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  below(n: number): number {
    return (this.#numbers[this.#at++] ?? 0) % n;
  }
  /** True in one of n cases. */
  one(n: number): boolean {
    return this.below(n) === n - 1;
  }
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

const NASTY = [
  '',
  'plain',
  '"},{"id":"x","upload":1',
  'back\\slash\\',
  '🇭🇰 香港 01',
  '\u0000\u001f\u2028',
  '<&>',
  '\ud800 lone',
  ']}',
  '1.2.3.4',
  '104.16.1.1(13335 CLOUDFLARENET)',
];
const COUNTERS: unknown[] = [0, 7, 10, 99_999, 2 ** 53 - 1, 2 ** 53, -1, 1.5, '12', 'x', null, 1e21];

interface Model {
  id: string;
  record: Record<string, unknown>;
}

function newModel(choices: Choices, serial: number): Model {
  const id = choices.one(8) ? choices.pick(NASTY) : `id-${serial}`;
  const metadata: Record<string, unknown> = {
    network: choices.pick(['tcp', 'udp', 'Tcp']),
    type: choices.pick(['HTTP', 'Inner', 'mixed/mixed-in']),
    host: choices.pick(NASTY),
    destinationIP: choices.pick(NASTY),
    process: choices.pick(['', 'curl']),
    sourcePort: choices.pick<unknown>(['443', 443, null]),
    destinationGeoIP: choices.pick<unknown>([null, [], ['cn'], 'US', [1]]),
    upload: 1,
  };
  const record: Record<string, unknown> = {
    id,
    metadata: choices.one(9) ? null : metadata,
    upload: choices.below(1000),
    download: choices.below(100_000),
    start: choices.pick<unknown>(['2026-07-02T09:14:03.12+08:00', '0001-01-01T00:00:00Z', 5, null]),
    chains: choices.pick<unknown>([['a', 'b'], null, [], NASTY]),
    rule: choices.pick(NASTY),
  };
  return { id, record };
}

/** One step of a core's life on the table. */
function mutate(choices: Choices, models: Model[], serial: { n: number }): void {
  for (const model of models) {
    if (typeof model.record !== 'object' || model.record === null || choices.one(3)) continue;
    const grow = choices.below(5000);
    if (typeof model.record.upload === 'number') model.record.upload += grow;
    if (choices.one(4) && typeof model.record.download === 'number') model.record.download *= 10;
    if (choices.one(12)) model.record[choices.pick(['upload', 'download'])] = choices.pick(COUNTERS);
    if (choices.one(25)) model.record.metadata = { host: choices.pick(NASTY) };
    if (choices.one(40)) delete model.record.id;
  }
  while (choices.one(3)) models.splice(choices.below(models.length + 1), 0, newModel(choices, serial.n++));
  while (models.length > 0 && choices.one(4)) models.splice(choices.below(models.length), 1);
  if (choices.one(6)) models.reverse();
  if (choices.one(10)) models.splice(0, models.length);
  if (models.length > 0 && choices.one(8)) models.push(structuredClone(choices.pick(models)));
  if (choices.one(15)) models.push({ id: '', record: choices.pick<never>([null, 3, 'x', []] as never[]) });
}

function space(choices: Choices): string {
  return choices.one(12) ? choices.pick([' ', '\n', '\t \r\n']) : '';
}

function writeText(choices: Choices, text: string): string {
  if (!choices.one(10)) return JSON.stringify(text);
  return `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
}

/** JSON as any core might write it: white space, order of keys, escapes, repeated keys, other spellings of numbers. */
function write(choices: Choices, value: unknown, shuffle: boolean): string {
  const gap = () => space(choices);
  if (typeof value === 'string') return writeText(choices, value);
  if (typeof value === 'number' && Number.isInteger(value) && choices.one(40)) return `${value}.0e0`;
  if (Array.isArray(value)) {
    return `[${gap()}${value.map((item) => write(choices, item, shuffle)).join(`${gap()},${gap()}`)}${gap()}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value);
  if (shuffle) members.sort(([a], [b]) => (a < b ? -1 : 1));
  if (members.length > 0 && choices.one(40)) members.push(choices.pick(members));
  const texts = members.map(
    ([key, item]) =>
      `${writeText(choices, key)}${gap()}:${gap()}${write(choices, item, choices.one(10) !== shuffle)}`,
  );
  return `{${gap()}${texts.join(`${gap()},${gap()}`)}${gap()}}`;
}

function writeFrame(choices: Choices, models: readonly Model[]): Buffer {
  const members: Record<string, unknown> = {
    downloadTotal: choices.below(1e6),
    uploadTotal: choices.one(30) ? choices.pick(COUNTERS) : choices.below(1e6),
    connections: models.length === 0 && choices.one(2) ? null : models.map((model) => model.record),
    memory: 0,
  };
  if (choices.one(20)) delete members.connections;
  // Mostly as cores write it, so that decisions are left for many frames and the fast path is taken.
  const text = choices.one(4) ? write(choices, members, choices.one(2)) : JSON.stringify(members);
  return Buffer.from(`${text}${choices.one(2) ? '' : '\n'}`);
}

/** Damages a few bytes or cuts the frame off: most results are no JSON, some are other JSON. */
function damage(choices: Choices, bytes: Buffer): Buffer {
  const result = Buffer.from(bytes);
  for (let i = choices.below(3); i >= 0; i--) {
    result[choices.below(result.length)] = choices.pick([
      0x22, 0x7b, 0x7d, 0x2c, 0x30, 0x5c, 0xc3, 0x20, 0x5d,
    ]);
  }
  return choices.one(4) ? result.subarray(0, choices.below(result.length)) : result;
}

const entropy = fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 1500, size: 'max' });

describe('the scanner against JSON.parse of every frame', () => {
  it('agrees on sequences of frames of any layout', () => {
    fc.assert(
      fc.property(entropy, (numbers) => {
        const choices = new Choices(numbers);
        const serial = { n: 0 };
        const models: Model[] = Array.from({ length: choices.below(6) }, () => newModel(choices, serial.n++));
        const frames: Buffer[] = [];
        for (let i = 0; i < 10; i++) {
          frames.push(writeFrame(choices, models));
          mutate(choices, models, serial);
        }
        compare(frames, choices.one(3) ? 3 : 1000);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees on damaged frames between good ones, and stays as it was', () => {
    fc.assert(
      fc.property(entropy, (numbers) => {
        const choices = new Choices(numbers);
        const serial = { n: 0 };
        const models: Model[] = Array.from({ length: 1 + choices.below(4) }, () =>
          newModel(choices, serial.n++),
        );
        const frames: Buffer[] = [];
        for (let i = 0; i < 6; i++) {
          const frame = writeFrame(choices, models);
          frames.push(frame, damage(choices, frame));
          mutate(choices, models, serial);
        }
        compare(frames);
      }),
      { numRuns: 1000 },
    );
  });
});

const RECORDINGS = new URL('../../../test/fixtures/recordings/', import.meta.url);

describe.skipIf(!existsSync(RECORDINGS))('the scanner on recordings of real cores', () => {
  it.each(['mihomo-2026-06', 'mihomo-2026-06-restart', 'mihomo-2025-02'])('agrees on %s', (name) => {
    const text = gunzipSync(readFileSync(new URL(`${name}.ndjson.gz`, RECORDINGS))).toString();
    const lines = text.split('\n').filter((line) => line !== '');
    const frames = lines.map((line) => (JSON.parse(line) as { frame?: string }).frame);
    compare(frames.filter((frame) => frame !== undefined).map((frame) => Buffer.from(frame)));
  });

  it('agrees on the hand-made corner cases', () => {
    const lines = readFileSync(new URL('hand-made-snapshots.ndjson', RECORDINGS)).toString().split('\n');
    const frames = lines.filter((line) => line !== '').map((line) => Buffer.from(line));
    compare([...frames, ...frames.toReversed()]);
  });
});
