import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../domain/connection.ts';
import type { Cover } from './covers.ts';
import { type Booking, mergeSample, type RecordState, type Sample } from './record.ts';

const both = (value: number): Bytes => ({ download: value, upload: value });

function record(base = 0): RecordState {
  return {
    num: 1,
    isStored: false,
    agentId: 'a',
    fields: null,
    empty: null,
    covers: [],
    counted: true,
    counter: both(base),
    base: both(base),
    recovered: both(0),
    lastBucket: 0,
    closedAt: null,
    updatedAt: 0,
    arrivedAt: 0,
    isNew: true,
    changed: true,
    changedRarely: false,
    coversChanged: false,
  };
}

/** What a journal covers that has told nothing yet. */
function journal(base = 0, of?: RecordState): Cover {
  const cover = { stream: 1 + (of?.covers?.length ?? 0), base: both(base), to: both(base), changed: false };
  of?.covers?.push(cover);
  return cover;
}

const sample = (minute: number, value: number, recovered = 0): Sample => ({
  minute,
  ...both(value),
  recoveredDownload: recovered,
  recoveredUpload: recovered,
});

/** Facts as `[bucket, prev, download, conns]`, with an `r` behind those that are recovered. */
const facts = (booking: Booking | null) =>
  booking?.facts.map((fact) => [
    fact.bucket,
    fact.prev,
    fact.download,
    fact.conns,
    ...(fact.recovered ? ['r'] : []),
  ]) ?? null;

describe('a sample merged into a record', () => {
  it('books what it grew by, in order of minutes', () => {
    const r = record();
    expect(facts(mergeSample(r, sample(10, 100), journal()))).toEqual([[10, 0, 100, 1]]);
    expect(facts(mergeSample(r, sample(10, 130), journal()))).toEqual([[10, 10, 30, 0]]);
    expect(facts(mergeSample(r, sample(12, 200), journal()))).toEqual([[12, 10, 70, 1]]);
  });

  it('that is old changes nothing, and one of an earlier minute books into the newest', () => {
    const r = record();
    const cover = journal(0, r);
    mergeSample(r, sample(10, 100), cover);
    expect(mergeSample(r, sample(9, 60), cover)).toBeNull();
    expect(mergeSample(r, sample(10, 100), cover)).toBeNull();
    expect(facts(mergeSample(r, sample(9, 150), cover))).toEqual([[10, 10, 50, 0]]);
  });

  it('of a new record yields a fact without a byte too', () => {
    expect(facts(mergeSample(record(500), sample(10, 500), journal(500)))).toEqual([[10, 0, 0, 1]]);
  });

  it('with recovered bytes beside others yields two facts, and counts once', () => {
    expect(facts(mergeSample(record(), sample(10, 100, 40), journal()))).toEqual([
      [10, 0, 60, 1],
      [10, 0, 40, 0, 'r'],
    ]);
    expect(facts(mergeSample(record(), sample(10, 40, 40), journal()))).toEqual([[10, 0, 40, 1, 'r']]);
  });

  it('of a journal that began later: the bytes between moved unwatched', () => {
    const r = record();
    mergeSample(r, sample(10, 100), journal());
    const booking = mergeSample(r, sample(20, 350), journal(300));
    expect(facts(booking)).toEqual([
      [20, 10, 50, 1],
      [20, 10, 200, 0, 'r'],
    ]);
    // Its totals cover what it saw, and nothing before.
    expect(booking?.covered).toEqual(both(50));
  });

  it('of a journal that began earlier: the difference of the bases is booked with it', () => {
    const r = record(300);
    mergeSample(r, sample(20, 350), journal(300));
    const booking = mergeSample(r, sample(10, 100), journal(40));
    expect(facts(booking)).toEqual([[20, 20, 260, 0]]);
    expect([r.base, r.counter]).toEqual([both(40), both(350)]);
  });

  it('of a source without totals is covered by none', () => {
    expect(mergeSample(record(), sample(10, 100), null)?.covered).toEqual(both(0));
  });
});

describe('a journal and another source of the same connection', () => {
  it('takes off its totals what it saw, though the other one had booked it: in the minute of the sample', () => {
    const r = record();
    const cover = journal(0, r);
    mergeSample(r, sample(12, 100), null);
    expect(mergeSample(r, sample(10, 60), cover)).toMatchObject({
      facts: [],
      booked: both(0),
      covered: both(0),
      minute: 10,
      repeated: both(60),
    });
    expect(mergeSample(r, sample(13, 130), cover)).toMatchObject({
      booked: both(30),
      covered: both(30),
      minute: 13,
      repeated: both(40),
    });
    expect(mergeSample(r, sample(10, 60), cover)).toBeNull();
  });

  it('that began earlier is taken off no more than it saw', () => {
    const r = record(300);
    mergeSample(r, sample(20, 350), journal(300, r));
    const booking = mergeSample(r, sample(10, 100), journal(40, r));
    expect(booking).toMatchObject({ booked: both(260), covered: both(60), repeated: both(0) });
  });

  it('that comes back after another one went on is taken off all that it sees', () => {
    const r = record();
    const old = journal(0, r);
    mergeSample(r, sample(10, 100), old);
    mergeSample(r, sample(20, 350), journal(300, r));
    const booking = mergeSample(r, sample(30, 400), old);
    expect(booking).toMatchObject({ booked: both(50), covered: both(50), repeated: both(250) });
  });
});

describe('several sources in any order', () => {
  it('booked = highest value − lowest base, covered = what each saw, facts in order, one count a bucket', () => {
    const sources = fc.array(
      fc.record({
        base: fc.integer({ min: 0, max: 50 }),
        samples: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 100 })), {
          minLength: 1,
          maxLength: 6,
        }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    const property = fc.property(sources, fc.infiniteStream(fc.nat()), (given, order) => {
      const sources = given.map(({ base, samples }) => ({ base, samples, cover: journal(base) }));
      const all = sources.flatMap(({ base, samples, cover }) =>
        samples.map(([minute, value]) => ({
          base,
          cover,
          minute,
          value: Math.max(base, value),
          key: order.next().value as number,
        })),
      );
      all.sort((a, b) => a.key - b.key);
      const r = record(all[0]?.base ?? 0);
      r.covers = sources.map(({ cover }) => cover);
      const booked: number[][] = [];
      const covered = new Map(sources.map(({ cover }) => [cover, 0]));
      for (const { cover, minute, value } of all) {
        const booking = mergeSample(r, sample(minute, value), cover);
        if (booking !== null) {
          const taken = booking.covered.download + booking.repeated.download;
          covered.set(cover, (covered.get(cover) ?? 0) + taken);
          expect(booking.repeated.download).toBeGreaterThanOrEqual(0);
          expect(booking.covered.download).toBeLessThanOrEqual(booking.booked.download);
        }
        for (const fact of booking?.facts ?? []) booked.push([fact.bucket, fact.download, fact.conns]);
      }
      const highest = Math.max(...all.map(({ value }) => value));
      const lowest = Math.min(...all.map(({ base }) => base));
      expect(booked.reduce((sum, [, bytes = 0]) => sum + bytes, 0)).toBe(highest - lowest);
      for (const { base, samples, cover } of sources) {
        const seen = Math.max(...samples.map(([, value]) => Math.max(base, value))) - base;
        expect(covered.get(cover)).toBe(seen);
      }
      const buckets = booked.map(([bucket]) => bucket);
      expect(buckets).toEqual([...buckets].sort((a = 0, b = 0) => a - b));
      expect(booked.reduce((sum, [, , conns = 0]) => sum + conns, 0)).toBe(new Set(buckets).size);
      expect(booked.every(([, bytes = 0]) => bytes >= 0)).toBe(true);
    });
    fc.assert(property, { numRuns: 500, verbose: true });
  });
});
