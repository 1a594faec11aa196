import { expect, it } from 'vitest';
import { bucketStates } from './bucket-states.ts';

const ms = (minute: number) => minute * 60_000;
const STARTS = [0, 10, 20, 30];
const NOW = ms(100);
const seen = { gaps: [], deliveredTo: NOW };
const gap = (from: number, to: number) => ({ gaps: [{ from: ms(from), to: ms(to) }], deliveredTo: NOW });

const states = (agents: Parameters<typeof bucketStates>[2], now = NOW) =>
  bucketStates(STARTS, 40, agents, now).join(' ');

it('trusts what every agent saw and delivered', () => {
  expect(states([seen, seen])).toBe('ok ok ok ok');
});

it('calls a gap what no agent saw anything of, and partial what one saw a part of', () => {
  expect(states([gap(10, 25)])).toBe('ok gap partial ok');
  expect(states([gap(10, 25), seen])).toBe('ok partial partial ok');
  expect(states([gap(5, 20), gap(10, 30)])).toBe('partial gap partial ok');
});

it('takes gaps that touch for one', () => {
  const two = {
    gaps: [gap(10, 14).gaps[0], gap(14, 20).gaps[0]].flatMap((one) => one ?? []),
    deliveredTo: NOW,
  };
  expect(states([two])).toBe('ok gap ok ok');
});

it('waits for what the slowest agent has not delivered', () => {
  expect(states([seen, { gaps: [], deliveredTo: ms(25) }])).toBe('ok ok arriving arriving');
  expect(states([seen], ms(35))).toBe('ok ok ok arriving');
});

it('says nothing of gaps where there are no agents', () => {
  expect(states([])).toBe('ok ok ok ok');
});
