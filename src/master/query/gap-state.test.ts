import { describe, expect, it } from 'vitest';
import { commonGaps, gapStates } from './gap-state.ts';

const MINUTE = 60_000;
const gap = (agent: string, from: number, to: number) => ({ agent, from: from * MINUTE, to: to * MINUTE });
const states = (gaps: ReturnType<typeof gap>[], agents: string[], now = 1000) =>
  gapStates(
    [0, 10, 20, 30],
    40,
    commonGaps(agents.map((agent) => gaps.filter((one) => one.agent === agent))),
    now * MINUTE,
  );

it('asks of agents no further than to the first that has no gap in common with the others', () => {
  const asked: number[] = [];
  function* each() {
    for (let agent = 0; agent < 5000; agent++) {
      asked.push(agent);
      yield [gap('', agent < 2 ? 0 : 50, agent < 2 ? 40 : 60)];
    }
  }
  expect(commonGaps(each())).toEqual([]);
  expect(asked).toEqual([0, 1, 2]);
});

describe('a point is in a gap', () => {
  it.each([
    ['when one gap covers it', [gap('a', 9, 31)], ['a'], [false, true, true, false]],
    [
      'when gaps that touch cover it',
      [gap('a', 10, 15), gap('a', 15, 20)],
      ['a'],
      [false, true, false, false],
    ],
    [
      'not when a moment is missing',
      [gap('a', 10, 15), gap('a', 15.1, 20)],
      ['a'],
      [false, false, false, false],
    ],
    ['when all agents are', [gap('a', 0, 25), gap('b', 10, 40)], ['a', 'b'], [false, true, false, false]],
    ['not when one agent is not', [gap('a', 0, 40)], ['a', 'b'], [false, false, false, false]],
    ['whatever others do', [gap('a', 0, 20), gap('c', 0, 5)], ['a'], [true, true, false, false]],
    ['never without agents', [gap('a', 0, 40)], [], [false, false, false, false]],
    ['when it is covered twice', [gap('a', 0, 40), gap('a', 5, 8)], ['a'], [true, true, true, true]],
  ])('%s', (_, gaps, agents, expected) => {
    expect(states(gaps, agents)).toEqual(expected);
  });

  it('so far, when it is still running; and never when it is yet to come', () => {
    expect(states([gap('a', 8, 25)], ['a'], 25)).toEqual([false, true, true, false]);
  });
});
