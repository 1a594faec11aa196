import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hold } from '../support/hold.ts';

interface Moment {
  /** Arguments of Node. */
  args: readonly string[];
  /** A line that the program says when it begins something. */
  line: string;
  /** For the how manieth time. */
  times: number;
  /** It is killed up to so much later. */
  longestMs: number;
}

/** Runs a program until it begins something, and a random moment longer; then kills it. */
export async function killWhen({ args, line, times, longestMs }: Moment): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let left = times;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (left <= 0) return;
    left -= text.split('\n').filter((said) => said === line).length;
    if (left <= 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * longestMs);
  });
  const [code, signal] = await ended;
  hold(signal === 'SIGKILL', () => `it ended by itself, with ${code}`);
}
