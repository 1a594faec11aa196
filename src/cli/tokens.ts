import { isatty } from 'node:tty';
import { CodedError } from '../common/errors.ts';
import { openBeside } from '../common/sqlite.ts';
import { parseInstant } from '../domain/asked-time.ts';
import { formatTime } from '../domain/time.ts';
import { spanEnd } from '../domain/token.ts';
import { RECORDS_FILE } from '../master/ingest/schema.ts';
import { type Token, tokenView } from '../master/tokens/token.ts';
import { TokenTable } from '../master/tokens/token-table.ts';
import type { ValuesOf } from './config/values.ts';
import type { Task } from './program.ts';
import { alignedTable, type Column } from './table.ts';

const STDOUT = 1;

/** `tokens create`: the secret alone on standard output, so that it can go into a file, and the rest on the other. */
export function createTask(values: ValuesOf<'tokens create'>): Task {
  const { name, scope, agentId = null, expires } = values;
  return onTable(values.database, (table) => {
    const now = Date.now();
    const token = { name, scope, agentId, expires: expires === undefined ? null : expiryOf(expires, now) };
    const created = table.create(token, now);
    console.error(announcement(created.token));
    if (isatty(STDOUT)) console.error('Keep it now: it is shown this once, and only its hash is stored.');
    console.log(created.secret);
    return 0;
  });
}

/** `tokens list`: everything but secrets, which nobody has any more. */
export function listTask(values: ValuesOf<'tokens list'>): Task {
  return onTable(values.database, (table) => {
    const tokens = table.all();
    if (values.json) console.log(JSON.stringify(tokens.map(tokenView), null, 2));
    else if (tokens.length === 0) console.error('there are no tokens; `tokens create` makes one');
    else
      console.log(
        alignedTable(
          COLUMNS,
          tokens.map((token) => rowOf(token, Date.now())),
        ).join('\n'),
      );
    return 0;
  });
}

/** `tokens revoke`: by number or name. */
export function revokeTask(values: ValuesOf<'tokens revoke'>): Task {
  return onTable(values.database, (table) => {
    const given = values.token.trim();
    const token = table.all().find(({ id, name }) => String(id) === given || name === given);
    if (token === undefined || !table.revoke(token.id)) {
      throw new CodedError('token_unknown', `there is no token "${given}" in ${values.database}`);
    }
    console.error(
      `token "${token.name}" (number ${token.id}) is revoked; a running master refuses it within a second`,
    );
    return 0;
  });
}

function onTable(database: string, work: (table: TokenTable) => number): Task {
  return {
    run: () => {
      const db = openBeside(database, RECORDS_FILE);
      try {
        return work(new TokenTable(db));
      } finally {
        db.close();
      }
    },
  };
}

/** Epoch ms of what was given and found right. */
function expiryOf(text: string, now: number): number | null {
  const instant = parseInstant(text);
  return spanEnd(text, now) ?? ('at' in instant ? instant.at : null);
}

function announcement({ name, id, scope, agentId, expires }: Token): string {
  const whose = agentId === null ? `scope ${scope}` : `delivers as agent "${agentId}"`;
  const end = expires === null ? 'until it is revoked' : `until ${formatTime(expires)}`;
  return `token "${name}" (number ${id}): ${whose}, ${end}`;
}

const COLUMNS: readonly Column[] = [
  { head: 'ID', right: true },
  { head: 'NAME' },
  { head: 'SCOPE' },
  { head: 'AGENT' },
  { head: 'CREATED' },
  { head: 'EXPIRES' },
  { head: 'LAST USED' },
];

function rowOf(token: Token, now: number): string[] {
  const { id, name, scope, agentId, created, expires, lastUsed } = token;
  const minute = (at: number) => formatTime(at).replace(/:\d\d\.\d{3}Z$/, 'Z');
  const end = expires === null ? 'never' : minute(expires);
  return [
    String(id),
    name,
    scope,
    agentId ?? '',
    minute(created),
    expires !== null && expires <= now ? `${end} (expired)` : end,
    lastUsed === null ? 'never' : minute(lastUsed),
  ];
}
