import { pino } from 'pino';
import { visible } from '../agent/monitor/visible.ts';

/** Longer values are cut: a path or a message from elsewhere must not fill the screen. */
const LONGEST = 400;
/** What needs no quotes to be told from the next value. */
const BARE = /^[^\s"=]+$/;

/**
 * One JSON line of the log as a line for a terminal, in the shape of the console monitor's lines beside which it
 * stands: time, level, message, values. Whatever a value says, it stays one line and sends no controls.
 */
export function terminalLine(json: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return `${visible(json.trimEnd())}\n`;
  }
  const { level, time, msg, ...values } = entry;
  const parts = [timeOf(time), (pino.levels.labels[Number(level)] ?? String(level)).toUpperCase().padEnd(5)];
  if (typeof msg === 'string') parts.push(cut(msg));
  for (const [key, value] of Object.entries(values)) parts.push(`${key}=${shown(value)}`);
  return `${visible(parts.join(' '))}\n`;
}

function timeOf(time: unknown): string {
  const at = new Date(String(time));
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (errorOf(value) ?? JSON.stringify(value));
  const short = cut(text);
  return typeof value === 'object' || BARE.test(short) ? short : JSON.stringify(short);
}

/** An error as one piece of text: what it says, and where it came from. The whole stack is in the JSON. */
function errorOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('stack' in value)) return undefined;
  const { type, message, stack } = value as Record<string, unknown>;
  const origin = /^\s+at .*$/m.exec(String(stack))?.[0].trim();
  return JSON.stringify(`${String(type)}: ${String(message)}${origin === undefined ? '' : ` ${origin}`}`);
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
