import fc from 'fast-check';
import { type ConnectionFields, emptyFields } from '../../domain/connection.ts';
import { FACT_FIELDS } from '../../domain/fact-columns.ts';
import { unattributed } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';

/** First minute of what is drawn: 23 October 2026, two days before clocks go back in Europe. */
export const BEGIN = Date.UTC(2026, 9, 23) / 60_000;
export const SPAN = 4 * 1440;

const KNOWN = {
  host: fc.constantFrom('', 'a.example.com', 'b.example.com', 'example.co.uk', 'localhost', '10.0.0.1'),
  source_ip: fc.constantFrom('192.168.1.2', '192.168.1.3', 'fe80::1'),
  destination_ip: fc.constantFrom('', '10.0.0.1', '10.0.0.2', '2001:db8::1'),
  destination_port: fc.constantFrom('0', '53', '443'),
  rule: fc.constantFrom('', 'Match', 'DomainSuffix'),
  rule_payload: fc.constantFrom('', 'example.com'),
  chains: fc.constantFrom('[]', '["DIRECT"]', '["Proxy","hk-1"]', '["Proxy","Asia","hk-1"]', '["REJECT"]'),
  provider: fc.constantFrom('', 'one'),
  process: fc.constantFrom('', 'curl'),
  network: fc.constantFrom('tcp', 'udp'),
  conn_type: fc.constantFrom('Tun', 'Socks5'),
  inbound_name: fc.constantFrom('', 'mixed'),
  inbound_user: fc.constantFrom('', 'lily'),
  destination_geoip: fc.constantFrom('null', '[]', '["cn","private"]', '["us"]'),
  destination_ip_asn: fc.constantFrom('', 'AS13335'),
};

/** Of whatever else a dimension is read from, values that differ. */
const fields = fc.record({
  ...Object.fromEntries(FACT_FIELDS.map((name) => [name, fc.constantFrom('', 'one', 'Two')])),
  ...KNOWN,
});

export const AGENTS = ['home', 'office', "o'hara"] as const;
const bytes = fc.integer({ min: 0, max: 2 ** 40 });

/** What arrives at the master, in order: a sample of a connection, or unattributed bytes of an agent. */
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      conn: fc.integer({ min: 1, max: 12 }),
      minute: fc.oneof(fc.integer({ min: 0, max: SPAN }), fc.integer({ min: 0, max: 3 })),
      download: bytes,
      upload: bytes,
      recovered: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      agent: fc.constantFrom(...AGENTS),
      minute: fc.integer({ min: 0, max: SPAN }),
      download: fc.integer({ min: -1000, max: 1_000_000 }),
    }),
  },
);

export interface RandomFacts {
  facts: Fact[];
  /** Where lots end, as shares of all facts. */
  cuts: number[];
}

/**
 * Facts as the merge makes them: each connection's in order of time, late ones moved to its newest bucket, the
 * second in a bucket without a count. Connections of every sixth number are overlay.
 */
export const randomFacts: fc.Arbitrary<RandomFacts> = fc
  .record({
    connections: fc.array(fc.record({ agent: fc.constantFrom(...AGENTS), fields }), {
      minLength: 12,
      maxLength: 12,
    }),
    events: fc.array(event, { maxLength: 80 }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
  })
  .map(({ connections, events, cuts }) => {
    const newest = new Map<number, number>();
    const facts = events.map((one): Fact => {
      if (!('conn' in one)) return unattributed(one.agent, BEGIN + one.minute, one.download);
      const connection = connections[one.conn - 1];
      const last = newest.get(one.conn) ?? 0;
      const bucket = Math.max(BEGIN + one.minute, last);
      newest.set(one.conn, bucket);
      const own: Partial<ConnectionFields> = connection?.fields ?? {};
      return {
        conn: one.conn,
        kind: one.conn % 6 === 0 ? 1 : 0,
        bucket,
        prev: last,
        recovered: one.recovered,
        download: one.download,
        upload: one.upload,
        conns: bucket === last ? 0 : 1,
        agent: connection?.agent ?? 'home',
        fields: { ...emptyFields(`c${one.conn}`), ...own },
      };
    });
    return { facts, cuts };
  });

/** The facts in lots, in order, none empty. */
export function inLots({ facts, cuts }: RandomFacts): Fact[][] {
  const ends = [...cuts.map((cut) => Math.round(cut * facts.length)), facts.length].sort((a, b) => a - b);
  return ends.map((end, index) => facts.slice(ends[index - 1] ?? 0, end)).filter((lot) => lot.length > 0);
}
