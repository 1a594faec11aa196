import { accept, type Checked, refuse } from './checked.ts';
import type { OptionSpec } from './option.ts';

function range(spec: OptionSpec, kind: string): string {
  return `${kind} from ${spec.min ?? 0} to ${spec.max}${spec.unit ? ` (${spec.unit})` : ''}`;
}

function within(value: number, spec: OptionSpec): boolean {
  return value >= (spec.min ?? 0) && value <= (spec.max ?? Number.MAX_SAFE_INTEGER);
}

export function checkInteger(text: string, spec: OptionSpec): Checked<number> {
  const valid = range(spec, 'a whole number');
  // Number() would also take 1e3, 0x10 and blanks, which nobody means in a flag.
  if (!/^-?\d+$/.test(text)) return refuse('is no whole number', valid);
  const value = Number(text);
  return within(value, spec) ? accept(value) : refuse('is out of range', valid);
}

export function checkDecimal(text: string, spec: OptionSpec): Checked<number> {
  const valid = range(spec, 'a number');
  if (!/^-?\d+(\.\d+)?$/.test(text)) return refuse('is no number', valid);
  const value = Number(text);
  return within(value, spec) ? accept(value) : refuse('is out of range', valid);
}

/** Below 100 ms the core does nothing but answer; above a minute nearly everything happens between snapshots. */
const FASTEST_MS = 100;
const SLOWEST_MS = 60_000;

export function checkSampleInterval(text: string): Checked<'auto' | number> {
  if (text === 'auto') return accept('auto');
  const valid = `auto, or milliseconds from ${FASTEST_MS} to ${SLOWEST_MS}`;
  if (!/^\d+$/.test(text)) return refuse('is neither auto nor a whole number', valid);
  const value = Number(text);
  return value >= FASTEST_MS && value <= SLOWEST_MS ? accept(value) : refuse('is out of range', valid);
}
