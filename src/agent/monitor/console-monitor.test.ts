import { describe, expect, test } from 'vitest';
import { emptyFields } from '../../domain/connection.ts';
import { type ConsoleLevel, ConsoleMonitor } from './console-monitor.ts';
import type { Output, OutputListener } from './output.ts';

/** An output that takes as many writes as it is allowed and then waits. */
class FakeOutput implements Output {
  text = '';
  allowed = Number.POSITIVE_INFINITY;
  pending = 0;
  closed = false;
  listener: OutputListener | undefined;

  write(text: string): boolean {
    this.text += text;
    this.allowed--;
    return this.allowed > 0;
  }

  close(): void {
    this.closed = true;
  }

  resume(): void {
    this.allowed = Number.POSITIVE_INFINITY;
    this.listener?.drained();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

function monitor(level: ConsoleLevel, capacity = 1000) {
  const output = new FakeOutput();
  const screen = {
    terminal: false,
    colour: false,
    open: (listener: OutputListener) => {
      output.listener = listener;
      return output;
    },
  };
  return { output, console: new ConsoleMonitor({ level, screen, capacity, now: () => 0 }) };
}

async function turns(count = 100): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const fields = emptyFields('id');

describe('what is printed', () => {
  test.each([
    ['off', []],
    ['events', ['open', 'close', 'note']],
    ['traffic', ['open', 'traffic', 'close', 'note']],
  ] as const)('level %s', async (level, kinds) => {
    const { output, console } = monitor(level);
    console.start();
    console.opened(fields, 0, 0);
    console.traffic(fields, 1, 1, 1, 1);
    console.closed(fields, 1, 1);
    console.note('a word');
    await turns();
    expect(output.lines.map((line) => line.split(' ')[2])).toEqual(kinds);
    await console.stop();
  });

  test('nothing is opened or written before the start; what came before is printed then', async () => {
    const { output, console } = monitor('events');
    console.note('early');
    await turns();
    expect(output.listener).toBeUndefined();
    console.start();
    await turns();
    expect(output.lines).toHaveLength(1);
    await console.stop();
  });
});

describe('a slow reader', () => {
  test('gets the newest lines, and is told how many it missed', async () => {
    const { output, console } = monitor('events', 10);
    output.allowed = 1;
    console.start();
    console.note('first');
    await turns();
    for (let i = 0; i < 110; i++) console.note(`n${i}`);
    await turns();
    expect(output.lines).toHaveLength(1);
    output.resume();
    await turns();
    expect(output.lines[1]).toBe('… 100 lines not shown');
    expect(output.lines.slice(2).map((line) => line.split(' ').at(-1))).toEqual(
      Array.from({ length: 10 }, (_, i) => `n${100 + i}`),
    );
    console.note('later');
    await turns();
    expect(output.lines.at(-1)).toContain('later');
    await console.stop();
  });

  test('does not keep the process from ending', async () => {
    const { output, console } = monitor('events');
    output.allowed = 1;
    console.start();
    for (let i = 0; i < 200; i++) console.note('x');
    await turns();
    const begun = performance.now();
    await console.stop();
    expect(performance.now() - begun).toBeLessThan(1500);
    expect(output.closed).toBe(true);
  });
});

describe('the end', () => {
  test('what waits is still printed, then nothing any more', async () => {
    const { output, console } = monitor('events');
    console.start();
    for (let i = 0; i < 500; i++) console.note('x');
    await console.stop();
    expect(output.lines).toHaveLength(500);
    console.note('late');
    await turns();
    await console.stop();
    expect(output.lines).toHaveLength(500);
  });

  test('a reader that leaves ends the printing, and calls stay harmless', async () => {
    const { output, console } = monitor('traffic');
    console.start();
    console.note('x');
    output.listener?.ended();
    console.opened(fields, 0, 0);
    await turns();
    expect(output.text).toBe('');
    await console.stop();
  });

  test('stop before start, twice, and when switched off', async () => {
    for (const level of ['off', 'events'] as const) {
      const { console } = monitor(level);
      await console.stop();
      console.start();
      await console.stop();
    }
  });
});
