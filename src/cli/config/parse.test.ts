import { describe, expect, expectTypeOf, test } from 'vitest';
import type { CommandName } from './commands.ts';
import type { Environment } from './gather.ts';
import { type ParsedCommand, parseCommandLine } from './parse.ts';
import type { Problem } from './problems.ts';

function noFile(path: string): string {
  throw new Error(`ENOENT: no such file, open '${path}'`);
}

function parse(line: string | readonly string[], env: Environment = {}, readFile = noFile) {
  return parseCommandLine(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, env, readFile);
}

function run<C extends CommandName>(
  command: C,
  line: string | readonly string[] = '',
  env: Environment = {},
  readFile = noFile,
): Extract<ParsedCommand, { command: C }> {
  const args = typeof line === 'string' ? line.split(' ').filter(Boolean) : line;
  const parsed = parse([command, ...args], env, readFile);
  if (parsed.kind !== 'run') throw new Error(JSON.stringify(parsed));
  return parsed as Extract<ParsedCommand, { command: C }>;
}

function problems(
  line: string | readonly string[],
  env: Environment = {},
  readFile = noFile,
): readonly Problem[] {
  const parsed = parse(line, env, readFile);
  if (parsed.kind !== 'problems') throw new Error(`accepted: ${JSON.stringify(parsed)}`);
  return parsed.problems;
}

describe('the command lines of the Rust implementation', () => {
  test('master without options has its defaults', () => {
    const { values, warnings } = run('master');
    expect(values).toMatchObject({ database: 'master.db', listenHost: '0.0.0.0', listenPort: 8080 });
    expect(values.apiToken).toBeUndefined();
    expect(values.mihomoHost).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test('agent without options has its defaults', () => {
    expect(run('agent').values).toMatchObject({
      mihomoHost: '127.0.0.1',
      mihomoPort: 9090,
      localDatabase: 'agent.db',
      syncInterval: 60,
      dataRetentionDays: 7,
      agentId: undefined,
      masterUrl: undefined,
    });
  });

  test('the examples of its README', () => {
    const master = run(
      'master',
      '--database ./master.db --listen-host 0.0.0.0 --listen-port 9091 --api-token your-secret-token --mihomo-host 127.0.0.1 --mihomo-port 9090 --mihomo-token s',
    );
    expect(master.warnings).toEqual([]);
    expect(master.values).toMatchObject({
      listenPort: 9091,
      apiToken: 'your-secret-token',
      mihomoToken: 's',
    });
    const agent = run(
      'agent',
      '--mihomo-host 127.0.0.1 --mihomo-port 9090 --mihomo-token s --master-url http://192.168.1.2:9091 --master-token t --local-database ./agent.db --agent-id my-unique-agent-id --data-retention-days 7',
    );
    expect(agent.warnings).toEqual([]);
    expect(agent.values).toMatchObject({
      masterUrl: 'http://192.168.1.2:9091',
      agentId: 'my-unique-agent-id',
    });
  });

  test.each([
    ['master', '--mihomo-port 9090'],
    ['master', '--mihomo-token x'],
    ['agent', '--master-token x'],
  ] as const)('%s %s was accepted without effect, and is now warned about', (command, line) => {
    expect(run(command, line).warnings).toEqual([expect.stringContaining('has no effect')]);
  });
});

describe('values', () => {
  test('--flag value and --flag=value are the same; a value may hold = and begin with one dash', () => {
    expect(run('master', '--api-token=a=b').values.apiToken).toBe('a=b');
    expect(run('master', ['--api-token', '-x']).values.apiToken).toBe('-x');
    expect(run('master', ['--api-token=--x']).values.apiToken).toBe('--x');
    expect(run('master', ['--database', 'my data/m.db']).values.database).toBe('my data/m.db');
  });

  test('booleans', () => {
    expect(run('agent', '--check').values.check).toBe(true);
    expect(run('agent', '--check=true').values.check).toBe(true);
    expect(run('agent', '--check=false').values.check).toBe(false);
    expect(run('agent', '', { MIHOMO_TRACKER_CHECK: 'true' }).values.check).toBe(true);
    expect(run('agent', '--check=false', { MIHOMO_TRACKER_CHECK: 'true' }).values.check).toBe(false);
    expect(problems('agent --check=yes')[0]).toMatchObject({
      flag: '--check',
      given: 'yes',
      valid: 'true or false',
    });
  });

  test('a flag beats the environment', () => {
    const env = { MIHOMO_TRACKER_LISTEN_PORT: '1', MIHOMO_TRACKER_DATABASE: 'e.db' };
    expect(run('master', '--listen-port 2', env).values).toMatchObject({ listenPort: 2, database: 'e.db' });
  });

  test('an empty value counts as not given', () => {
    expect(run('master', ['--mihomo-host', 'a', '--mihomo-token', '']).values.mihomoToken).toBeUndefined();
    expect(run('master', ['--mihomo-host', 'a', '--mihomo-token=']).values.mihomoToken).toBeUndefined();
    expect(run('master', '', { MIHOMO_TRACKER_LISTEN_PORT: '' }).values.listenPort).toBe(8080);
    expect(problems(['master', '--listen-port='])[0]?.problem).toBe('has an empty value');
  });

  test('but not the token that guards the master, nor the id of an agent: both would be ignored silently', () => {
    for (const line of [
      ['master', '--api-token', ''],
      ['master', '--api-token='],
      ['agent', '--agent-id', ''],
    ]) {
      expect(problems(line)[0]?.problem).toBe('has an empty value');
    }
  });

  test('nor a token that no client could present', () => {
    for (const token of ['two words', 'päss', '密码', ' ']) {
      expect(problems(['master', '--api-token', token])[0]?.problem).toBe(
        'has blanks or characters beyond ASCII',
      );
      expect(problems(['agent', '--master-url', 'http://a', '--master-token', token])).toHaveLength(1);
    }
    expect(run('agent', ['--mihomo-token', 'a secret of 密码']).values.mihomoToken).toBe('a secret of 密码');
  });

  test('ours: types and defaults', () => {
    expect(run('master').values).toMatchObject({
      sampleInterval: 'auto',
      console: 'events',
      journalBudget: 512,
      trustedOrigins: [],
      allowHosts: [],
    });
    expect(run('agent', '--sample-interval 250').values.sampleInterval).toBe(250);
    expect(run('demo').values).toMatchObject({ port: 0, days: 3, seed: undefined, keep: undefined });
    expect(run('simulate', '--profile desktop --speed 2.5 --connections 20').values).toMatchObject({
      port: 9090,
      profile: 'desktop',
      speed: 2.5,
      connections: 20,
    });
  });

  test('agent ids of any script, trimmed', () => {
    expect(run('agent', ['--agent-id', ' 家里 📡 ']).values.agentId).toBe('家里 📡');
    expect(run('agent', ['--agent-id', '字'.repeat(128)]).values.agentId).toHaveLength(128);
  });
});

test('types follow the table: optional is optional, a default makes it present, choices are literals', () => {
  const { values } = run('agent');
  expectTypeOf(values.mihomoPort).toEqualTypeOf<number>();
  expectTypeOf(values.masterUrl).toEqualTypeOf<string | undefined>();
  expectTypeOf(values.console).toEqualTypeOf<'off' | 'events' | 'traffic'>();
  expectTypeOf(values.sampleInterval).toEqualTypeOf<'auto' | number>();
  expectTypeOf(values.check).toEqualTypeOf<boolean>();
  expectTypeOf(run('master').values.mihomoHost).toEqualTypeOf<string | undefined>();
  expectTypeOf(run('master').values.allowHosts).toEqualTypeOf<readonly string[]>();
  expect(Object.keys(values)).not.toContain('mihomoTokenFile');
});

describe('problems', () => {
  test('all at once', () => {
    expect(
      problems('master --databse x --listen-port 65536 extra --log-level loud --api-token').map(
        (p) => p.flag,
      ),
    ).toEqual(['--databse', 'extra', '--api-token', '--listen-port', '--log-level']);
  });

  test('unknown flags and commands, with what was probably meant', () => {
    expect(problems('master --databse x')).toHaveLength(1);
    expect(problems('master --databse x')[0]?.problem).toContain('--database');
    expect(problems('master --LISTEN_PORT 1')[0]?.problem).toContain('--listen-port');
    expect(problems('master --sync-interval 5')).toEqual([
      expect.objectContaining({ problem: 'is not an option of master, but of agent' }),
    ]);
    expect(problems('agent --zzzzzzzz')[0]?.problem).toBe('is not a known option');
    expect(problems('mastr')[0]).toMatchObject({
      given: 'mastr',
      problem: expect.stringContaining('did you mean master?'),
    });
    expect(problems('')[0]).toMatchObject({
      problem: 'is missing',
      valid:
        'master, agent, top, query, verify, tokens, facts, backup, restore, compact, export, import, demo, simulate',
    });
    expect(problems('agent -x')).toHaveLength(1);
    expect(problems('agent --__proto__ 1 --constructor=2')).toHaveLength(2);
  });

  test('a flag given twice, and one without a value', () => {
    expect(problems('agent --agent-id a --agent-id b')[0]?.problem).toBe('is given twice');
    expect(problems('agent --agent-id --check')[0]).toMatchObject({
      flag: '--agent-id',
      problem: 'needs a value',
    });
  });

  test('a wrong value from the environment is named as it is there', () => {
    expect(problems('master', { MIHOMO_TRACKER_LISTEN_PORT: 'x' })[0]?.flag).toBe(
      'MIHOMO_TRACKER_LISTEN_PORT',
    );
  });

  test.each([
    ['master --listen-port -1'],
    ['master --listen-port 1e3'],
    ['master --listen-port 80.5'],
    ['master --mihomo-host h --mihomo-port 0'],
    ['master --listen-host 256.1.1.1'],
    ['master --listen-host a/b'],
    ['agent --sync-interval 0'],
    ['agent --sync-interval 86401'],
    ['agent --data-retention-days 3651'],
    ['agent --data-retention-days -1'],
    ['agent --sample-interval 99'],
    ['agent --sample-interval 60001'],
    ['agent --sample-interval fast'],
    ['agent --agent-id local'],
    ['agent --agent-id a\u0000b'],
    ['agent --agent-id a\u202eb'],
    [`agent --agent-id ${'x'.repeat(129)}`],
    ['agent --console all'],
    ['agent --journal-budget 0'],
    ['simulate --speed 0'],
    ['simulate --profile phone'],
  ])('refused: %s', (line) => {
    expect(problems(line)).toHaveLength(1);
  });
});

describe('paths of databases', () => {
  test.each([['a#b.db'], ['100%.db'], ['a%20b.db'], ['two words.db'], ['file:x.db'], ['家.db']])(
    'as they are: %s',
    (path) => {
      expect(run('master', ['--database', path]).values.database).toBe(path);
      expect(run('agent', ['--local-database', path]).values.localDatabase).toBe(path);
    },
  );

  test.each([[':memory:'], [' a.db'], ['a.db '], ['a\nb.db']])(
    'SQLite would open another file or none: %j',
    (path) => {
      expect(problems(['master', '--database', path])).toHaveLength(1);
      expect(problems(['agent', '--local-database', path])).toHaveLength(1);
    },
  );

  test('a question mark is refused where DuckDB would cut the path at it, and nowhere else', () => {
    expect(problems(['master', '--database', 'a?b/master.db'])[0]).toMatchObject({
      flag: '--database',
      problem: expect.stringContaining('question mark'),
    });
    expect(problems(['demo', '--keep', 'a?b'])).toHaveLength(1);
    expect(run('agent', ['--local-database', 'a?b.db']).values.localDatabase).toBe('a?b.db');
  });
});

describe('rules between options', () => {
  test.each([
    ['agent --mihomo-insecure'],
    ['agent --mihomo-ca ca.pem --mihomo-host http://h'],
    ['agent --mihomo-insecure --mihomo-ca ca.pem --mihomo-host https://h'],
    ['master --mihomo-insecure'],
    ['master --mihomo-ca ca.pem'],
    ['agent --master-ca ca.pem'],
    ['agent --master-ca ca.pem --master-url http://192.168.1.1'],
    ['backup --ca ca.pem'],
    ['export --ca ca.pem --url http://192.168.1.1'],
  ])('refused with the consequence: %s', (line) => {
    expect(problems(line)).toEqual([expect.objectContaining({ problem: expect.stringContaining('would') })]);
  });

  test('fine together', () => {
    expect(run('agent', '--mihomo-insecure --mihomo-host https://h').warnings).toEqual([]);
    expect(run('agent', '--mihomo-insecure=false').warnings).toEqual([]);
    expect(run('agent', '--master-ca c --master-url https://h').warnings).toEqual([]);
  });

  test('warned about', () => {
    expect(run('agent', '--mihomo-host http://h:1 --mihomo-port 2').warnings).toHaveLength(1);
    expect(run('agent', '--mihomo-host unix:/s --mihomo-port 2').warnings).toHaveLength(1);
    expect(run('export', '--token x').warnings[0]).toContain('--token has no effect');
    expect(run('backup', '--url http://tracker.example.com').warnings[0]).toContain('not encrypted');
    expect(run('export', '--url http://192.168.1.1 --database x.db').warnings[0]).toContain('--database');
    expect(run('agent', '--master-url http://tracker.example.com').warnings[0]).toContain('not encrypted');
    expect(run('agent', '', { MIHOMO_TRACKER_AGENTID: 'x' }).warnings[0]).toContain(
      'MIHOMO_TRACKER_AGENT_ID',
    );
    expect(run('agent', '', { MIHOMO_TRACKER_DATABASE: 'for-the-master.db' }).warnings).toEqual([]);
  });
});

describe('commands of a group, and their words', () => {
  const create = 'tokens create --name home --scope';

  test('are found by both words, and take what stands after them in any order', () => {
    expect(run('tokens create', '--name home --scope read').values).toEqual({
      database: 'master.db',
      name: 'home',
      scope: 'read',
      agentId: undefined,
      expires: undefined,
    });
    for (const words of [
      ['phone', '--database', 'x.db'],
      ['--database', 'x.db', 'phone'],
    ]) {
      expect(run('tokens revoke', words).values).toEqual({ token: 'phone', database: 'x.db' });
    }
    expect(run('tokens revoke', ['two words']).values.token).toBe('two words');
    expectTypeOf(run('tokens revoke', ['x']).values.token).toEqualTypeOf<string>();
    expectTypeOf(run('tokens create', '--name a --scope read').values.name).toEqualTypeOf<string>();
    expectTypeOf(run('tokens list').values.json).toEqualTypeOf<boolean>();
  });

  test.each([
    ['tokens', 'needs a word after it'],
    ['tokens --database x.db', 'needs a word after it'],
    ['tokens creat', 'has no such command; did you mean tokens create?'],
    ['tokens zzzzzz', 'has no such command'],
    ['token', 'is not known; did you mean tokens?'],
  ])('%s: %s', (line, problem) => {
    expect(problems(line)).toEqual([expect.objectContaining({ problem })]);
  });

  test.each([
    ['tokens revoke', ['ID|NAME']],
    ['tokens revoke a b', ['b']],
    ['tokens list a', ['a']],
    ['tokens create', ['--name', '--scope']],
    [`${create} all`, ['--scope']],
    [`${create} agent`, ['--agent-id']],
    [`${create} read --agent-id home`, ['--agent-id']],
    [`${create} agent --agent-id local`, ['--agent-id']],
    [`${create} read --expires soon`, ['--expires']],
    [`${create} read --expires 0d`, ['--expires']],
    [`${create} read --expires 90`, ['--expires']],
    [`${create} read --expires 2020-01-01T00:00:00Z`, ['--expires']],
    [`${create} read --expires 2999-01-01`, ['--expires']],
    ['tokens create --name 7 --scope x --expires y --extra', ['--extra', '--name', '--scope', '--expires']],
  ])('refused: %s', (line, flags) => {
    expect(problems(line).map(({ flag }) => flag)).toEqual(flags);
  });

  test.each([['12h'], ['90d'], ['4w'], ['2999-01-01T00:00:00+08:00']])('expires %s', (expires) => {
    expect(
      run('tokens create', ['--name', '路由器', '--scope', 'admin', '--expires', expires]).values,
    ).toMatchObject({
      name: '路由器',
      expires,
    });
  });

  test('what an agent has in its environment is not meant for its tokens', () => {
    const env = { MIHOMO_TRACKER_AGENT_ID: 'home', MIHOMO_TRACKER_DATABASE: 'e.db' };
    expect(run('tokens create', '--name a --scope read', env).values).toMatchObject({
      agentId: undefined,
      database: 'e.db',
    });
    expect(run('tokens list', '', { MIHOMO_TRACKER_SCOPE: 'admin' }).warnings[0]).toContain('has no effect');
  });
});

describe('help and version', () => {
  test.each([['--help'], ['-h'], ['help'], ['help nonsense']])('%s is that of the program', (line) => {
    expect(parse(line)).toMatchObject({ kind: 'help', help: expect.stringContaining('<command>') });
  });

  test.each([
    ['agent --help'],
    ['agent -h'],
    ['help agent'],
    ['agent --bad --help'],
    ['agent --agent-id -h'],
  ])('%s is that of the command, whatever else is wrong', (line) => {
    expect(parse(line)).toMatchObject({
      kind: 'help',
      help: expect.stringContaining('tracker agent [options]'),
    });
  });

  test.each([['tokens --help'], ['tokens -h'], ['help tokens'], ['help tokens nonsense']])(
    '%s is that of the group',
    (line) => {
      expect(parse(line)).toMatchObject({
        kind: 'help',
        help: expect.stringContaining('tracker tokens <command> [options]'),
      });
    },
  );

  test.each([['tokens revoke -h'], ['help tokens revoke'], ['tokens revoke --bad --help']])(
    '%s is that of the command of the group',
    (line) => {
      expect(parse(line)).toMatchObject({
        kind: 'help',
        help: expect.stringContaining('tracker tokens revoke ID|NAME [options]'),
      });
    },
  );

  test.each([
    ['--version'],
    ['-V'],
    ['master -V'],
    ['demo --version'],
    ['tokens --version'],
    ['tokens list -V'],
  ])('%s', (line) => {
    expect(parse(line)).toEqual({ kind: 'version', version: true });
  });
});

describe('how long facts are kept', () => {
  test('has defaults', () => {
    expect(run('master').values).toMatchObject({
      minuteRetentionDays: 14,
      halfHourRetentionDays: 400,
      recordRetentionDays: 90,
      factsBudget: undefined,
    });
  });

  test.each([
    '--minute-retention-days 7 --half-hour-retention-days 7',
    '--minute-retention-days 0 --half-hour-retention-days 0',
    '--record-retention-days 7',
    '--record-retention-days 0',
    '--minute-retention-days 30 --half-hour-retention-days 0 --facts-budget 64',
  ])('takes %s', (line) => {
    expect(run('master', line).warnings).toEqual([]);
  });

  test.each([
    ['--minute-retention-days 6', '--minute-retention-days', /would not be done: facts stay 7 days/],
    [
      '--minute-retention-days 5 --half-hour-retention-days 6',
      '--half-hour-retention-days',
      /would not be done/,
    ],
    ['--half-hour-retention-days 13', '--half-hour-retention-days', /less than minutes are kept/],
    ['--minute-retention-days 0', '--half-hour-retention-days', /less than minutes are kept/],
    ['--record-retention-days 6', '--record-retention-days', /too short: records stay 7 days/],
    ['--record-retention-days 3651', '--record-retention-days', /out of range/],
    ['--facts-budget 63', '--facts-budget', /out of range/],
    ['--minute-retention-days 3651', '--minute-retention-days', /out of range/],
  ])('refuses %s', (line, flag, problem) => {
    const found = problems(`master ${line}`);
    expect(found.find((one) => one.flag === flag)?.problem).toMatch(problem);
  });
});

describe('facts rebuild', () => {
  test('says from what, and replaces nothing that can be read unless told', () => {
    expect(run('facts rebuild', '--from-records').values).toMatchObject({
      database: 'master.db',
      fromRecords: true,
      force: false,
    });
    expect(run('facts rebuild', '--from-records --force --database a.db').values.force).toBe(true);
  });

  test.each(['', '--from-records=false'])('is refused as: facts rebuild %s', (line) => {
    expect(problems(`facts rebuild ${line}`)).toMatchObject([
      { flag: '--from-records', problem: 'is required', valid: expect.stringMatching(/^--from-records: /) },
    ]);
  });

  test('takes nothing from the environment that was meant for a service', () => {
    const env = { MIHOMO_TRACKER_FROM_RECORDS: 'true', MIHOMO_TRACKER_FORCE: 'true' };
    expect(parse('facts rebuild', env).kind).toBe('problems');
  });
});
