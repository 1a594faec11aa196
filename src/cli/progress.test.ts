import { describe, expect, it } from 'vitest';
import { ProgressLine } from './progress.ts';

function line(terminal: boolean, columns = 80) {
  const said: string[] = [];
  let now = 0;
  const output = { isTTY: terminal, columns, write: (text: string) => said.push(text) };
  const progress = new ProgressLine(output, () => now);
  return {
    said,
    end: () => progress.end(),
    at: (ms: number, step: string, done: number, total: number) => {
      now = ms;
      progress.report({ step, done, total });
    },
  };
}

const MIB = 1024 * 1024;

describe('progress', () => {
  it('is one line of a terminal, which changes and is gone at the end', () => {
    const { said, at, end } = line(true);
    at(0, 'copying facts', 0, 10 * MIB);
    at(50, 'copying facts', 2 * MIB, 10 * MIB);
    at(100, 'copying facts', 5 * MIB, 10 * MIB);
    end();
    end();
    expect(said).toEqual([
      '\r\x1b[Kcopying facts: 0 % (0 B of 10.00 MiB)',
      '\r\x1b[Kcopying facts: 50 % (5.00 MiB of 10.00 MiB)',
      '\r\x1b[K',
    ]);
  });

  it('never wraps, or the line could not be taken back', () => {
    const { said, at } = line(true, 20);
    at(0, 'copying a rather long name', 1, 2);
    expect(said[0]).toBe('\r\x1b[Kcopying a rather lo');
  });

  it('is a line a minute in a log, and none for what is quick', () => {
    const { said, at, end } = line(false);
    at(0, 'copying facts', 1, 100);
    at(59_999, 'copying facts', 20, 100);
    at(60_000, 'copying facts', 30, 100);
    at(61_000, 'copying facts', 40, 100);
    at(120_000, 'copying records', 3 * MIB, 0);
    end();
    expect(said).toEqual(['copying facts: 30 % (30 B of 100 B)\n', 'copying records: 3.00 MiB\n']);
  });

  it('is never more than all, though a file turns out larger than was thought', () => {
    const { said, at } = line(true);
    at(0, 'copying facts', 12, 10);
    expect(said[0]).toContain('100 %');
  });
});
