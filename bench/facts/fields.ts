import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { type ConnectionFields, emptyFields } from '../../src/domain/connection.ts';
import { Random } from '../../src/simulator/random.ts';
import type { Generated } from './batch.ts';
import type { Recipe } from './generator.ts';
import type { World } from './world.ts';

/** What a connection says that no other one does; by its number, so that nobody has to draw it in some order. */
export function identityOf(recipe: Recipe, number: number): { id: string; sourcePort: number } {
  const random = new Random(`${recipe.seed}/${number}`);
  return { id: random.uuid(), sourcePort: random.between(1024, 65_535) };
}

/** What is the same of every connection. */
export const SHARED_FIELDS = { inbound_ip: '198.18.0.1', inbound_port: '7890', dns_mode: 'fake-ip' } as const;

/** The fields of a connection as its agent reports them. */
export function fieldsOf(
  world: World,
  connection: Generated,
  identity: { id: string; sourcePort: number },
): ConnectionFields {
  const device = world.devices[connection.device]!;
  const host = world.hosts[connection.host]!;
  const address = world.addresses[connection.address]!;
  const rule = world.rules[host.rule]!;
  const chain = world.chains[connection.chain]!;
  const program = world.programs[connection.program]!;
  const { overlay } = connection;
  return {
    ...emptyFields(identity.id),
    ...SHARED_FIELDS,
    start: connection.startMs,
    network: host.network,
    conn_type: overlay ? 'Inner' : device.connType,
    source_ip: device.address,
    destination_ip: address.text,
    destination_geoip: address.country === '' ? 'null' : `["${address.country}"]`,
    destination_ip_asn: address.asn,
    source_port: String(identity.sourcePort),
    destination_port: String(host.port),
    inbound_name: device.inboundName,
    inbound_user: device.inboundUser,
    host: host.name,
    process: overlay ? '' : program.process,
    process_path: overlay ? '' : program.processPath,
    remote_destination: address.text,
    chains: chain.chains,
    rule: rule.type,
    rule_payload: rule.payload,
    provider: chain.provider,
  };
}

/** Bytes of one of the minutes of a connection, the first being 0: an equal share, in whole bytes. */
export function shareOf(total: number, minute: number, minutes: number): number {
  return soFar(total, minute + 1, minutes) - soFar(total, minute, minutes);
}

/** Bytes moved before a minute of a connection: its counter then. */
export function soFar(total: number, minute: number, minutes: number): number {
  return Math.floor((total * minute) / minutes);
}

/** When a connection closed, in epoch milliseconds; null when it was open still at the given minute. */
export function closedAt({ startMs, lifeMs }: Generated, endMinute: number): number | null {
  return startMs + lifeMs < endMinute * MINUTE_MS ? startMs + lifeMs : null;
}
