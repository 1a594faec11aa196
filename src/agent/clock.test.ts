import { expect, it } from 'vitest';
import { AgentClock } from './clock.ts';

const BUILD = Date.UTC(2026, 0, 1);
const NOW = Date.UTC(2026, 5, 1);

it.each([0, -1, BUILD - 1, Number.MAX_SAFE_INTEGER])(
  'takes no help from a server time of %s',
  (serverTime) => {
    const stepped: number[] = [];
    const clock = new AgentClock({
      newestMinute: 0,
      buildDate: BUILD,
      wall: () => NOW,
      onStepped: (_from, to) => stepped.push(to),
    });
    clock.now();
    clock.serverTime(serverTime);
    expect(stepped).toEqual([]);
    expect(clock.now()).toBe(NOW);
  },
);
