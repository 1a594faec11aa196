import { describe, expect, it } from 'vitest';
import { lotOf, tokenOf } from './facts.test-support.ts';
import type { LedgerLot } from './lot-source.ts';
import { planStart } from './startup.ts';
import type { StoredLot } from './store.ts';

/** `'1-3'` is lots 1 to 3, `'4b'` lot 4 of another lineage, `'5~'` lot 5 whose rows are gone (facts: a gap). */
function numbers(text: string): { lot: number; lineage: string; gone: boolean }[] {
  const lots = text.split(' ').flatMap((part) => {
    const found = /^(\d+)(?:-(\d+))?([a-f]?)(~?)$/.exec(part);
    if (!found) return [];
    const first = Number(found[1]);
    const last = Number(found[2] ?? first);
    return Array.from({ length: last - first + 1 }, (_, index) => ({
      lot: first + index,
      lineage: found[3] || 'a',
      gone: found[4] === '~',
    }));
  });
  return lots.reverse();
}

const records = (text: string): LedgerLot[] =>
  numbers(text).map(({ lot, lineage, gone }) => ({ ...lotOf(lot, [], tokenOf(lot, lineage)), kept: !gone }));
const facts = (text: string): StoredLot[] =>
  numbers(text).map(({ lot, lineage, gone }) => ({
    lot,
    token: tokenOf(lot, lineage),
    state: gone ? 'gap' : 'ok',
  }));

describe('planStart', () => {
  it.each([
    { found: 'both new', records: '', facts: '', common: 0, cut: false, gaps: [], flush: [] },
    { found: 'first lots', records: '1-2', facts: '', common: 0, cut: false, gaps: [], flush: [1, 2] },
    {
      found: 'normal, nothing waits',
      records: '1-8~ 9',
      facts: '1-9',
      common: 9,
      cut: false,
      gaps: [],
      flush: [],
    },
    {
      found: 'normal, two wait',
      records: '1-8~ 9-11',
      facts: '1-9',
      common: 9,
      cut: false,
      gaps: [],
      flush: [10, 11],
    },
    {
      found: 'nothing is kept, nothing waits',
      records: '1-9~',
      facts: '1-9',
      common: 9,
      cut: false,
      gaps: [],
      flush: [],
    },
    {
      found: 'facts restored, all kept',
      records: '1-4~ 5-9',
      facts: '1-5',
      common: 5,
      cut: false,
      gaps: [],
      flush: [6, 7, 8, 9],
    },
    {
      found: 'facts restored to just before what is kept',
      records: '1-4~ 5-9',
      facts: '1-4',
      common: 4,
      cut: false,
      gaps: [],
      flush: [5, 6, 7, 8, 9],
    },
    {
      found: 'facts older than what is kept',
      records: '1-6~ 7-9',
      facts: '1-3',
      common: 3,
      cut: false,
      gaps: [4, 5, 6],
      flush: [7, 8, 9],
    },
    {
      found: 'facts older, nothing kept',
      records: '1-9~',
      facts: '1-3',
      common: 3,
      cut: false,
      gaps: [4, 5, 6, 7, 8, 9],
      flush: [],
    },
    {
      found: 'records restored',
      records: '1-3~ 4-5',
      facts: '1-9',
      common: 5,
      cut: true,
      gaps: [],
      flush: [],
    },
    {
      found: 'records restored and gone on',
      records: '1-5~ 6-7b',
      facts: '1-9',
      common: 5,
      cut: true,
      gaps: [],
      flush: [6, 7],
    },
    {
      found: 'two restored copies of different lineages',
      records: '1-3~ 4-6b',
      facts: '1-3 4-6c',
      common: 3,
      cut: true,
      gaps: [],
      flush: [4, 5, 6],
    },
    {
      found: 'other lineage, rows gone',
      records: '1-3~ 4-5b~ 6b',
      facts: '1-3 4-9c',
      common: 3,
      cut: true,
      gaps: [4, 5],
      flush: [6],
    },
    {
      found: 'no common lot at all',
      records: '1-3b',
      facts: '1-3c',
      common: 0,
      cut: true,
      gaps: [],
      flush: [1, 2, 3],
    },
    {
      found: 'empty facts beside old records',
      records: '1-50~ 51-52',
      facts: '',
      common: 0,
      cut: false,
      gaps: Array.from({ length: 50 }, (_, i) => i + 1),
      flush: [51, 52],
    },
    {
      found: 'empty records beside old facts',
      records: '',
      facts: '1-9',
      common: 0,
      cut: true,
      gaps: [],
      flush: [],
    },
    {
      found: 'gaps recorded before',
      records: '1-6~ 7-9',
      facts: '1-3 4-6~',
      common: 6,
      cut: false,
      gaps: [],
      flush: [7, 8, 9],
    },
    {
      found: 'died while recording gaps',
      records: '1-6~ 7-9',
      facts: '1-3 4~',
      common: 4,
      cut: false,
      gaps: [5, 6],
      flush: [7, 8, 9],
    },
    {
      found: 'died while flushing again',
      records: '1-4~ 5-9',
      facts: '1-7',
      common: 7,
      cut: false,
      gaps: [],
      flush: [8, 9],
    },
    {
      found: 'a hole in what is kept stays in its turn',
      records: '1-4~ 5 6~ 7',
      facts: '1-4',
      common: 4,
      cut: false,
      gaps: [],
      flush: [5, 6, 7],
    },
  ])('$found', (one) => {
    const plan = planStart(records(one.records), facts(one.facts));
    expect({
      common: plan.common,
      cut: plan.cut,
      gaps: plan.gaps.map((lot) => lot.lot),
      flush: plan.flush.map((lot) => lot.lot),
    }).toEqual({ common: one.common, cut: one.cut, gaps: one.gaps, flush: one.flush });
  });
});
