import { countryOf, DIMENSIONS, groupOf, nodeOf, parseChains, routeOf } from '../../domain/dimensions.ts';
import type { FactFields } from '../../domain/fact-columns.ts';
import { siteOf } from '../store/dictionary-values.ts';
import type { Fact } from '../store/store.ts';
import type { Totals } from './answers.ts';
import type { GroupKey } from './group-keys.ts';
import type { Metric } from './metrics.ts';

/** The text that a connection has under a key, computed from its fields alone. */
export function textOf(key: GroupKey, agent: string, fields: FactFields): string {
  const chains = parseChains(fields.chains);
  switch (key) {
    case 'agent':
    case 'agent_id':
      return agent;
    case 'device':
      return fields.source_ip;
    case 'site':
      return siteOf(fields.host);
    case 'host':
      return fields.host || fields.destination_ip;
    case 'destination':
    case 'destination_ip':
      return fields.destination_ip;
    case 'destination_port':
      return fields.destination_port === '0' ? '' : fields.destination_port;
    case 'rule':
      return fields.rule_payload === '' ? fields.rule : `${fields.rule} (${fields.rule_payload})`;
    case 'payload':
      return fields.rule_payload;
    case 'group':
      return groupOf(chains);
    case 'node':
    case 'chains':
      return nodeOf(chains);
    case 'chain':
      return fields.chains;
    case 'route':
      return routeOf(nodeOf(chains));
    case 'geoip':
    case 'country':
      return countryOf(fields.destination_geoip);
    case 'asn':
      return fields.destination_ip_asn;
    default:
      return plainText(key, fields);
  }
}

/** The field of a dimension that is one as it stands. */
export function plainText(name: string, fields: FactFields): string {
  const field = DIMENSIONS.find((dimension) => dimension.name === name)?.field;
  if (field === undefined) throw new Error(`${name} is read from no field`);
  return fields[field];
}

/** Facts in a list, and questions answered by walking over it: connections are counted by their numbers. */
export class NaiveModel {
  readonly facts: Fact[] = [];

  /** Counted facts in `[from, to)` (minutes) of connections that pass. */
  #within(from: number, to: number, passes: (fact: Fact) => boolean): Fact[] {
    return this.facts.filter((one) => one.kind === 0 && one.bucket >= from && one.bucket < to && passes(one));
  }

  totals(from: number, to: number, passes: (fact: Fact) => boolean = () => true): Totals {
    const facts = this.#within(from, to, passes);
    const download = facts.reduce((sum, one) => sum + one.download, 0);
    const upload = facts.reduce((sum, one) => sum + one.upload, 0);
    return { count: new Set(facts.map((one) => one.conn)).size, download, upload, total: download + upload };
  }

  metric(metric: Metric, from: number, to: number, passes?: (fact: Fact) => boolean): number {
    const totals = this.totals(from, to, passes);
    if (metric === 'connections') return totals.count;
    if (metric === 'recovered')
      return this.totals(from, to, (one) => one.recovered && (passes?.(one) ?? true)).total;
    if (metric !== 'opened') return totals[metric];
    const firsts = new Map<number, number>();
    for (const one of this.facts) {
      if (one.kind === 0 && !firsts.has(one.conn)) firsts.set(one.conn, one.bucket);
    }
    const seen = this.#within(from, to, passes ?? (() => true));
    return new Set(seen.filter((one) => (firsts.get(one.conn) ?? 0) >= from).map((one) => one.conn)).size;
  }

  groups(key: GroupKey, from: number, to: number, passes?: (fact: Fact) => boolean): Map<string, Totals> {
    const shown = (one: Fact) => this.#shown(key, one);
    const texts = this.#within(from, to, passes ?? (() => true)).map(shown);
    return new Map(
      [...new Set(texts)].map((text) => [
        text,
        this.totals(from, to, (one) => shown(one) === text && (passes?.(one) ?? true)),
      ]),
    );
  }

  /** What a group is called: a rule without payload says so where others of its type have one. */
  #shown(key: GroupKey, one: Fact): string {
    const text = textOfFact(key, one);
    const { rule, rule_payload: payload } = one.fields ?? {};
    if (key !== 'rule' || payload !== '' || rule === '') return text;
    const isMixed = this.facts.some(
      ({ fields }) => fields !== null && fields.rule === rule && fields.rule_payload !== '',
    );
    return isMixed ? `${text} ()` : text;
  }

  unattributed(
    from: number,
    to: number,
    agents: readonly string[] | null,
  ): { download: number; upload: number } {
    const facts = this.facts.filter(
      (one) =>
        one.kind === 2 && one.bucket >= from && one.bucket < to && (agents?.includes(one.agent) ?? true),
    );
    return {
      download: facts.reduce((sum, one) => sum + one.download, 0),
      upload: facts.reduce((sum, one) => sum + one.upload, 0),
    };
  }
}

export function textOfFact(key: GroupKey, fact: Fact): string {
  if (!fact.fields) throw new Error('an unattributed fact has no dimensions');
  return textOf(key, fact.agent, fact.fields);
}
