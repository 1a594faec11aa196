import { addressNumber } from '../address.ts';
import { parseAskedTime } from '../asked-time.ts';
import type { FilterField, FilterType } from './fields.ts';
import { parsePattern } from './pattern.ts';
import type { Operator } from './tree.ts';

/** Both ends included. */
export interface AddressRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** One address, or a range `a-b` of one family. */
export function addressRange(text: string): AddressRange | null {
  const single = addressNumber(text);
  if (single !== null) return { low: single, high: single };
  const [first, last, ...more] = text.split('-');
  if (first === undefined || last === undefined || more.length > 0) return null;
  const low = addressNumber(first);
  const high = addressNumber(last);
  if (low === null || high === null || low > high) return null;
  return first.includes(':') === last.includes(':') ? { low, high } : null;
}

/** `address/length`; bits below the length may be set, as people write them. */
export function cidrRange(text: string): AddressRange | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const address = text.slice(0, slash);
  const number = addressNumber(address);
  const width = address.includes(':') ? 128 : 32;
  const length = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : -1;
  if (number === null || length < 0 || length > width) return null;
  const size = 1n << BigInt(width - length);
  const low = number - (number % size);
  return { low, high: low + size - 1n };
}

export interface NumberRange {
  readonly low: number;
  readonly high: number;
}

/** A whole number, or a range `a-b`. */
export function numberRange(text: string): NumberRange | null {
  const found = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text);
  if (found === null) return null;
  const low = Number(found[1]);
  const high = Number(found[2] ?? found[1]);
  return low <= high ? { low, high } : null;
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function measured(text: string, units: Readonly<Record<string, number>>): number | null {
  const found = /^(\d{1,15}(?:\.\d{1,6})?)([a-z]*)$/i.exec(text);
  const unit = units[found?.[2]?.toLowerCase() ?? ''];
  return found === null || unit === undefined ? null : Math.round(Number(found[1]) * unit);
}

/** Bytes of `download` and `upload`, bytes a second of `rate`, seconds of `age`. */
export function quantity(type: FilterType, text: string): number | null {
  switch (type) {
    case 'bytes':
      return measured(text, BYTES);
    case 'rate':
      return measured(text.replace(/\/s$/i, ''), BYTES);
    case 'duration':
      return measured(text, SECONDS);
    default:
      return null;
  }
}

/** A host name as it is compared: lower case, without the dots at its ends. */
export function bareHost(text: string): string {
  return text.toLowerCase().replace(/^\.+|\.+$/g, '');
}

/** Why a value cannot be compared with this field by this operator; undefined when it can. */
export function problemOf(field: FilterField, op: Operator, text: string): string | undefined {
  switch (field.type) {
    case 'address':
      if (op === 'under')
        return cidrRange(text) === null ? 'is no network such as 192.168.0.0/16' : undefined;
      return addressRange(text) === null
        ? 'is neither an address nor a range such as 10.0.0.1-10.0.0.9'
        : undefined;
    case 'number': {
      const range = numberRange(text);
      if (range === null) return 'is neither a whole number nor a range such as 8000-8999';
      const one = range.low === range.high;
      return one || op === '=' || op === '!=' || op === 'in' || op === 'not in'
        ? undefined
        : 'is a range; this operator takes one number';
    }
    case 'bytes':
      return quantity('bytes', text) === null ? 'is no amount such as 500MB or 1.5GiB' : undefined;
    case 'rate':
      return quantity('rate', text) === null ? 'is no rate such as 100kB/s' : undefined;
    case 'duration':
      return quantity('duration', text) === null ? 'is no time such as 90s, 5m, 2h or 1d' : undefined;
    case 'time': {
      const time = parseAskedTime(text);
      return 'problem' in time ? time.problem : undefined;
    }
    case 'host':
      if (op === 'under') return bareHost(text) === '' ? 'names no domain' : undefined;
      return problemOfText(op, text);
    default:
      return problemOfText(op, text);
  }
}

function problemOfText(op: Operator, text: string): string | undefined {
  if (op !== '~' && op !== '!~' && op !== '=~') return undefined;
  if (text === '') return 'is in everything; use "is empty" or leave it out';
  if (op !== '=~') return undefined;
  const parsed = parsePattern(text);
  return parsed.ok ? undefined : `is no regular expression: ${parsed.problem}`;
}
