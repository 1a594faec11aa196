import { pino } from 'pino';
import { expect, test } from 'vitest';
import { terminalLine } from './terminal-line.ts';

/** What a logger of ours makes of this on a terminal. */
function logged(values: object, message: string): string {
  let line = '';
  const sink = {
    write: (text: string) => {
      line += terminalLine(text);
    },
  };
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, sink);
  log.warn(values, message);
  return line;
}

test('a log line on a terminal can be read: time, level, message, values', () => {
  expect(
    logged({ reason: 'core-down', detail: 'connection refused', tries: 3, more: [1, 2] }, 'no snapshots'),
  ).toMatch(
    /^\d\d:\d\d:\d\d WARN {2}no snapshots reason=core-down detail="connection refused" tries=3 more=\[1,2\]\n$/,
  );
});

test('an error is what it says and where it was thrown, without its stack', () => {
  const line = logged({ err: new TypeError('no such thing\nat all') }, 'failed');
  expect(line).toMatch(/ failed err="TypeError: no such thing\\nat all at .*terminal-line\.test\.ts/);
  expect(line.match(/\n/g)).toHaveLength(1);
});

test('hostile text in a log line is harmless on a terminal', () => {
  const hostile = 'a\u001b[2J\u001b]0;title\u0007\r\n\u202e\u200bx\u009b31m\u0000';
  const line = logged(
    { host: hostile, [hostile]: 1, deep: { [hostile]: hostile }, err: new Error(hostile) },
    hostile,
  );
  expect(line.endsWith('\n')).toBe(true);
  expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(terminalLine(`no JSON ${hostile}\n`).slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('a value of any length stays one line of some length', () => {
  expect(logged({ path: 'x'.repeat(100_000) }, 'y'.repeat(100_000)).length).toBeLessThan(1000);
});
