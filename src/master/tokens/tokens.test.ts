import { existsSync, readdirSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestDirectory } from '../../../test/support/directory.ts';
import { silentLogger } from '../../common/logger.ts';
import { inTransaction, openBeside, openStore, type Sqlite } from '../../common/sqlite.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import { hashOf, type NewToken, newSecret } from './token.ts';
import { TokenRegistry } from './token-registry.ts';
import { MAX_TOKENS, TokenTable, type TokenUse } from './token-table.ts';
import { TokenWatch } from './token-watch.ts';

const NOW = Date.UTC(2026, 0, 10, 12, 0, 30);
const MINUTE = NOW - (NOW % 60_000);

let directory: TestDirectory;
let path: string;
let db: Sqlite;
let table: TokenTable;
beforeEach(() => {
  directory = new TestDirectory();
  path = directory.file('master.db');
  db = openStore(path, RECORDS_FILE);
  table = new TokenTable(db);
});
afterEach(() => {
  vi.useRealTimers();
  db.close();
  directory.remove();
});

const token = (name: string, more: Partial<NewToken> = {}): NewToken => ({
  name,
  scope: 'read',
  agentId: null,
  expires: null,
  ...more,
});

describe('secrets', () => {
  it('are 256 random bits that can stand in a header and on a command line', () => {
    const secrets = Array.from({ length: 1000 }, newSecret);
    expect(new Set(secrets).size).toBe(1000);
    for (const secret of secrets) expect(secret).toMatch(/^mct_[\w-]{43}$/);
    expect(Buffer.from(secrets[0]!.slice(4), 'base64url')).toHaveLength(32);
  });

  it('are in no file, their hashes are', () => {
    const { secret } = table.create(token('a'), NOW);
    const files = readdirSync(directory.path).map((name) => readFileSync(directory.file(name)));
    expect(files.length).toBeGreaterThan(1);
    for (const bytes of files) {
      expect(bytes.includes(secret)).toBe(false);
      expect(bytes.includes(secret.slice(4))).toBe(false);
    }
    expect(files.some((bytes) => bytes.includes(Buffer.from(hashOf(secret), 'hex')))).toBe(true);
  });
});

describe('the table', () => {
  it('holds what a token was made with', () => {
    const given = token('路由器', { scope: 'agent', agentId: 'home', expires: NOW + 1 });
    const { token: made, secret } = table.create(given, NOW);
    expect(made).toEqual({ ...given, id: 1, created: NOW, lastUsed: null });
    expect(table.all()).toEqual([{ ...made, hash: hashOf(secret) }]);
  });

  it('gives no number twice, and no name while another token has it', () => {
    table.create(token('a'), NOW);
    const { id } = table.create(token('b'), NOW).token;
    expect(() => table.create(token('b'), NOW)).toThrow('there is a token named "b" already');
    expect([table.revoke(id), table.revoke(id)]).toEqual([true, false]);
    expect(table.create(token('b'), NOW).token.id).toBe(id + 1);
    expect(table.all().map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('takes a bounded number', () => {
    const insert = db.prepare(
      "INSERT INTO tokens (name, scope, hash, created) VALUES (?, 'read', randomblob(32), 0)",
    );
    inTransaction(db, () => {
      for (let i = 0; i < MAX_TOKENS; i++) insert.run(`n${i}`);
    });
    expect(() => table.create(token('one more'), NOW)).toThrow(
      expect.objectContaining({ code: 'too_many_tokens' }),
    );
  });

  it('holds no agent without an id, and no other with one', () => {
    expect(() => table.create(token('a', { scope: 'agent' }), NOW)).toThrow('CHECK');
    expect(() => table.create(token('a', { agentId: 'home' }), NOW)).toThrow('CHECK');
  });

  it('keeps the newest use', () => {
    const { id } = table.create(token('a'), NOW).token;
    for (const at of [MINUTE, MINUTE - 60_000]) table.used([[id, at]]);
    expect(table.all()[0]?.lastUsed).toBe(MINUTE);
  });
});

describe('a watch', () => {
  it('tells of tokens at the beginning and of changes by other processes, and of nothing else', () => {
    vi.useFakeTimers();
    table.create(token('a'), NOW);
    const told: string[][] = [];
    const watch = new TokenWatch(db, (tokens) => told.push(tokens.map(({ name }) => name)));
    expect(told).toEqual([['a']]);
    db.prepare("INSERT INTO meta (key, value) VALUES ('x', 'y')").run();
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(1);
    const other = openBeside(path, RECORDS_FILE);
    new TokenTable(other).create(token('b'), NOW);
    vi.advanceTimersByTime(1000);
    expect(told.at(-1)).toEqual(['a', 'b']);
    new TokenTable(other).revoke(1);
    other.close();
    vi.advanceTimersByTime(1000);
    expect(told.at(-1)).toEqual(['b']);
    watch.close();
    vi.advanceTimersByTime(5000);
    expect(told).toHaveLength(3);
  });
});

describe('two processes on one file', () => {
  it('a merge that has begun is not ended by a token that is made meanwhile', () => {
    const other = openBeside(path, RECORDS_FILE);
    other.pragma('busy_timeout = 0');
    inTransaction(db, () => {
      db.prepare('SELECT count(*) FROM connections').get();
      expect(() => new TokenTable(other).create(token('a'), NOW)).toThrow('locked');
      db.prepare("INSERT INTO meta (key, value) VALUES ('x', 'y')").run();
    });
    new TokenTable(other).create(token('a'), NOW);
    other.close();
  });

  it.each([
    ['missing', () => directory.file('none.db'), 'file_missing'],
    ['of another program', foreign, 'file_foreign'],
    ['not brought up to date', () => withVersion(3), 'file_older'],
    ['of a newer program', () => withVersion(99), 'file_newer'],
    ['not taken over yet', original, 'file_older'],
  ])('a file that is %s is refused, and stays as it was', (_name, make, code) => {
    const file = make();
    const before = existsSync(file) ? readFileSync(file) : null;
    expect(() => openBeside(file, RECORDS_FILE)).toThrow(expect.objectContaining({ code }));
    expect(existsSync(file) ? readFileSync(file) : null).toEqual(before);
  });

  function foreign(): string {
    const file = directory.file('foreign.db');
    new Database(file).exec('CREATE TABLE x (y)').close();
    return file;
  }

  function original(): string {
    const file = directory.file('original.db');
    new Database(file)
      .exec(
        'CREATE TABLE connections (id TEXT, conn_download INT, conn_upload INT, last_updated TEXT, agent_id TEXT)',
      )
      .close();
    return file;
  }

  function withVersion(version: number): string {
    const file = directory.file('version.db');
    openStore(file, RECORDS_FILE).close();
    const raw = new Database(file);
    raw.pragma(`user_version = ${version}`);
    raw.close();
    return file;
  }
});

describe('the registry', () => {
  const written: TokenUse[][] = [];
  let fails = false;
  const make = () => {
    written.length = 0;
    fails = false;
    return new TokenRegistry({
      logger: silentLogger(),
      writer: {
        createToken: async (given) => table.create(given, NOW),
        revokeToken: async (id) => table.revoke(id),
        tokensUsed: async (uses) => {
          if (fails) throw new Error('disk full');
          written.push([...uses]);
          table.used(uses);
        },
      },
    });
  };

  it('finds a token by its secret, and no other text', () => {
    const registry = make();
    const { secret, token: made } = table.create(token('a'), NOW);
    expect(registry.find(secret)).toBeNull();
    registry.replace(table.all());
    expect(registry.find(secret)).toMatchObject(made);
    for (const text of ['', secret.slice(0, -1), `${secret} `, secret.toUpperCase(), hashOf(secret)]) {
      expect(registry.find(text)).toBeNull();
    }
    table.revoke(made.id);
    registry.replace(table.all());
    expect(registry.find(secret)).toBeNull();
  });

  it('says which kinds there are, also of tokens that expired', () => {
    const registry = make();
    expect(registry.kinds).toEqual({ any: false, admin: false });
    table.create(token('a', { expires: 1 }), NOW);
    registry.replace(table.all());
    expect(registry.kinds).toEqual({ any: true, admin: false });
    table.create(token('b', { scope: 'admin' }), NOW);
    registry.replace(table.all());
    expect(registry.kinds).toEqual({ any: true, admin: true });
  });

  it('shows uses to the minute, and writes them together once a minute, each once', async () => {
    vi.useFakeTimers();
    const registry = make();
    const [first, second] = ['a', 'b'].map((name) => table.create(token(name), NOW).token);
    registry.replace(table.all());
    registry.start();
    for (let i = 0; i < 100; i++) registry.used(first!, NOW + i);
    registry.used(second!, NOW);
    expect(registry.list().map(({ lastUsed }) => lastUsed)).toEqual([MINUTE, MINUTE]);
    expect(written).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    registry.used(first!, NOW);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(written).toEqual([
      [
        [first!.id, MINUTE],
        [second!.id, MINUTE],
      ],
    ]);
    registry.used(first!, NOW + 60_000);
    await registry.stop();
    expect(written.at(-1)).toEqual([[first!.id, MINUTE + 60_000]]);
    expect(table.all()[0]?.lastUsed).toBe(MINUTE + 60_000);
  });

  it('goes on when uses cannot be written, and forgets those of a token that is gone', async () => {
    const registry = make();
    const { token: made } = table.create(token('a'), NOW);
    registry.replace(table.all());
    fails = true;
    registry.used(made, NOW);
    await registry.stop();
    fails = false;
    registry.used(made, NOW + 60_000);
    table.revoke(made.id);
    registry.replace(table.all());
    await registry.stop();
    expect([written, registry.list()]).toEqual([[], []]);
  });
});
