import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../domain/connection.ts';
import { type Booking, mergeSample, type RecordState, type Sample } from './record.ts';

const both = (value: number): Bytes => ({ download: value, upload: value });

function record(base = 0): RecordState {
  return {
    num: 1,
    rowid: 0,
    agentId: 'a',
    fields: null,
    empty: null,
    source: null,
    counted: true,
    counter: both(base),
    base: both(base),
    recovered: both(0),
    lastBucket: 0,
    closedAt: null,
    updatedAt: 0,
    isNew: true,
    changed: true,
    changedRarely: false,
  };
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
    expect(facts(mergeSample(r, sample(10, 100), both(0)))).toEqual([[10, 0, 100, 1]]);
    expect(facts(mergeSample(r, sample(10, 130), both(0)))).toEqual([[10, 10, 30, 0]]);
    expect(facts(mergeSample(r, sample(12, 200), both(0)))).toEqual([[12, 10, 70, 1]]);
  });

  it('that is old changes nothing, and one of an earlier minute books into the newest', () => {
    const r = record();
    mergeSample(r, sample(10, 100), both(0));
    expect(mergeSample(r, sample(9, 60), both(0))).toBeNull();
    expect(mergeSample(r, sample(10, 100), both(0))).toBeNull();
    expect(facts(mergeSample(r, sample(9, 150), both(0)))).toEqual([[10, 10, 50, 0]]);
  });

  it('of a new record yields a fact without a byte too', () => {
    expect(facts(mergeSample(record(500), sample(10, 500), both(500)))).toEqual([[10, 0, 0, 1]]);
  });

  it('with recovered bytes beside others yields two facts, and counts once', () => {
    expect(facts(mergeSample(record(), sample(10, 100, 40), both(0)))).toEqual([
      [10, 0, 60, 1],
      [10, 0, 40, 0, 'r'],
    ]);
    expect(facts(mergeSample(record(), sample(10, 40, 40), both(0)))).toEqual([[10, 0, 40, 1, 'r']]);
  });

  it('of a journal that began later: the bytes between moved unwatched', () => {
    const r = record();
    mergeSample(r, sample(10, 100), both(0));
    const booking = mergeSample(r, sample(20, 350), both(300));
    expect(facts(booking)).toEqual([
      [20, 10, 50, 1],
      [20, 10, 200, 0, 'r'],
    ]);
    // Its totals cover what it saw, and nothing before.
    expect(booking?.covered).toEqual(both(50));
  });

  it('of a journal that began earlier: the difference of the bases is booked with it', () => {
    const r = record(300);
    mergeSample(r, sample(20, 350), both(300));
    const booking = mergeSample(r, sample(10, 100), both(40));
    expect(facts(booking)).toEqual([[20, 20, 260, 0]]);
    expect([r.base, r.counter]).toEqual([both(40), both(350)]);
  });

  it('of a source without totals is covered by none', () => {
    expect(mergeSample(record(), sample(10, 100), null)?.covered).toEqual(both(0));
  });
});

describe('several sources in any order', () => {
  it('booked = highest value − lowest base, facts in order, one count a bucket', () => {
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
      const all = given.flatMap(({ base, samples }) =>
        samples.map(([minute, value]) => ({
          base,
          minute,
          value: Math.max(base, value),
          key: order.next().value as number,
        })),
      );
      all.sort((a, b) => a.key - b.key);
      const r = record(all[0]?.base ?? 0);
      const booked: number[][] = [];
      for (const { base, minute, value } of all) {
        const booking = mergeSample(r, sample(minute, value), both(base));
        for (const fact of booking?.facts ?? []) booked.push([fact.bucket, fact.download, fact.conns]);
      }
      const highest = Math.max(...all.map(({ value }) => value));
      const lowest = Math.min(...all.map(({ base }) => base));
      expect(booked.reduce((sum, [, bytes = 0]) => sum + bytes, 0)).toBe(highest - lowest);
      const buckets = booked.map(([bucket]) => bucket);
      expect(buckets).toEqual([...buckets].sort((a = 0, b = 0) => a - b));
      expect(booked.reduce((sum, [, , conns = 0]) => sum + conns, 0)).toBe(new Set(buckets).size);
      expect(booked.every(([, bytes = 0]) => bytes >= 0)).toBe(true);
    });
    fc.assert(property, { numRuns: 500, verbose: true });
  });
});
