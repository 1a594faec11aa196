import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { Dictionary } from '../../src/domain/dimensions.ts';
import { DICTIONARY_KEYS } from '../../src/domain/fact-columns.ts';
import { DERIVED_COLUMNS } from '../../src/master/store/dictionary-values.ts';
import type { World } from './world.ts';

/** All that the world has, into the dictionaries and the tables by place. */
export async function writeWorld(connection: DuckDBConnection, world: World): Promise<void> {
  const { hosts, addresses, devices, rules, chains, agents, programs } = world;
  const ips = [...addresses.map(({ text }) => text), ...devices.map(({ address }) => address)];
  // Place 0 of the hosts is the entry that every store has.
  await writeDictionary(
    connection,
    'host',
    hosts.slice(1).map(({ name }) => [name]),
  );
  await writeDictionary(
    connection,
    'ip',
    ips.map((ip) => [ip]),
  );
  await writeDictionary(
    connection,
    'rule',
    rules.map(({ type, payload }) => [type, payload]),
  );
  await writeDictionary(
    connection,
    'chain',
    chains.map(({ chains, provider }) => [chains, provider]),
  );
  await fill(connection, 'of_device', devices, (row, device, place) => {
    row.appendInteger(place);
    row.appendInteger(device.agent);
    row.appendVarchar(agents[device.agent]!.name);
    row.appendInteger(addresses.length + place + 1);
    row.appendVarchar(device.connType);
    row.appendVarchar(device.inboundName);
    row.appendVarchar(device.inboundUser);
  });
  await fill(connection, 'of_host', hosts, (row, host, place) => {
    row.appendInteger(place);
    row.appendUSmallInt(host.port);
    row.appendVarchar(host.network);
    row.appendInteger(host.rule);
  });
  await fill(connection, 'of_address', addresses, (row, address, place) => {
    row.appendInteger(place);
    row.appendInteger(place + 1);
    row.appendVarchar(address.country.toUpperCase());
    row.appendVarchar(address.asn);
  });
  await fill(connection, 'of_program', programs, (row, program, place) => {
    row.appendInteger(place);
    row.appendVarchar(program.process);
  });
}

async function fill<T>(
  connection: DuckDBConnection,
  table: string,
  items: readonly T[],
  append: (row: DuckDBAppender, item: T, place: number) => void,
): Promise<void> {
  const row = await connection.createAppender(table);
  for (const [place, item] of items.entries()) {
    append(row, item, place);
    row.endRow();
  }
  row.closeSync();
}

/** Entries get the ids from 1 on. */
async function writeDictionary(
  connection: DuckDBConnection,
  dictionary: Dictionary,
  entries: readonly (readonly string[])[],
): Promise<void> {
  await fill(connection, dictionary, entries, (row, keys, place) => {
    if (keys.length !== DICTIONARY_KEYS[dictionary].length) throw new Error(`${dictionary} has other keys`);
    row.appendInteger(place + 1);
    for (const key of keys) row.appendVarchar(key);
    for (const column of DERIVED_COLUMNS[dictionary]) {
      const value = column.derive(keys);
      if (value === null) row.appendNull();
      else if (typeof value === 'bigint') row.appendUHugeInt(value);
      else row.appendVarchar(value);
    }
  });
}
