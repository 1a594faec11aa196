import { addressNumber } from '../../domain/address.ts';
import { countryOf, groupOf, nodeOf, parseChains, routeOf } from '../../domain/dimensions.ts';
import type { Filter, Test } from '../../domain/filter/tree.ts';
import { addressRange, bareHost, cidrRange, numberRange } from '../../domain/filter/values.ts';
import { siteOf } from '../store/dictionary-values.ts';
import type { Fact } from '../store/store.ts';
import { plainText } from './naive-model.test-support.ts';

/** The text of a dimension, read from the connection without any dictionary. */
export function textOfDimension(
  { agent, fields, recovered }: Fact,
  name: string,
  hourOfWeek: number,
): string {
  if (fields === null) throw new Error('a fact of a connection');
  const chains = parseChains(fields.chains);
  const derived: Record<string, () => string> = {
    agent: () => agent,
    device: () => fields.source_ip,
    site: () => siteOf(fields.host),
    payload: () => fields.rule_payload,
    group: () => groupOf(chains),
    node: () => nodeOf(chains),
    chain: () => fields.chains,
    route: () => routeOf(nodeOf(chains)),
    country: () => countryOf(fields.destination_geoip),
    asn: () => fields.destination_ip_asn.trim(),
    recovered: () => String(recovered),
    hour_of_week: () => String(hourOfWeek),
    destination_port: () => (fields.destination_port === '0' ? '' : fields.destination_port),
  };
  return derived[name]?.() ?? plainText(name, fields);
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** The same question, asked of one fact in plain TypeScript. */
export function matches(filter: Filter, one: Fact, hour: number): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matches(part, one, hour));
    case 'or':
      return filter.parts.some((part) => matches(part, one, hour));
    case 'not':
      return !matches(filter.of, one, hour);
    case 'word': {
      const rule = textOfDimension(one, 'rule', hour);
      const payload = textOfDimension(one, 'payload', hour);
      const texts = ['host', 'process', 'device', 'node'].map((name) => textOfDimension(one, name, hour));
      return [...texts, payload === '' ? rule : `${rule} (${payload})`].some((text) =>
        contains(text, filter.text),
      );
    }
    case 'test':
      return passes(filter, one, hour);
  }
}

function passes({ field, op, values }: Test, one: Fact, hour: number): boolean {
  const opposite = { '!=': '=', '!~': '~', 'not in': 'in', 'not empty': 'empty' } as const;
  if (op in opposite) return !passes({ kind: 'test', field, op: opposite[op as '!='], values }, one, hour);
  const text = textOfDimension(one, field, hour);
  const [first = ''] = values;
  if (op === 'empty') return text === '';
  if (field === 'device' || field === 'destination_ip') {
    const number = addressNumber(text);
    const ranges = values.map((value) => (op === 'under' ? cidrRange(value) : addressRange(value)));
    return (
      number !== null && ranges.some((range) => range !== null && range.low <= number && number <= range.high)
    );
  }
  if (field === 'destination_port' || field === 'hour_of_week') {
    const port = Number(text);
    if (op === '<') return port < Number(first);
    if (op === '<=') return port <= Number(first);
    if (op === '>') return port > Number(first);
    if (op === '>=') return port >= Number(first);
    return values.map(numberRange).some((range) => range !== null && range.low <= port && port <= range.high);
  }
  if (op === '~') return contains(text, first);
  if (op === '=~') return new RegExp(first, 'u').test(text);
  if (op === 'under')
    return text.toLowerCase() === bareHost(first) || text.toLowerCase().endsWith(`.${bareHost(first)}`);
  return values.includes(text);
}
