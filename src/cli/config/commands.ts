import { QUERY_DIMENSIONS } from '../../domain/dimensions.ts';
import { MAX_DIMENSIONS } from '../../master/query/traffic-question.ts';
import type { OptionSpec, OptionUse } from './option.ts';
import { OPTIONS, type OptionName } from './options.ts';

export interface CommandSpec {
  readonly summary: string;
  /** Words after the command that are no options, by name and in their order; each must be given. */
  readonly arguments?: Readonly<Record<string, OptionSpec>>;
  /** In the order of the help text. */
  readonly options: Readonly<Partial<Record<OptionName, OptionUse>>>;
  /** Arguments after the program's and the command's name, and what they do. */
  readonly examples: readonly (readonly [args: string, meaning: string])[];
}

const INFORMATION = { help: {}, version: {} } as const;
const ALWAYS = { 'log-level': { default: 'info' }, ...INFORMATION } as const;
/** The database that a command works on, beside its master or while that is stopped. */
const OF_FILE = { database: { default: 'master.db' } } as const;
/** Whom a question goes to: a running master, or its database while nobody runs on it. */
const ASKED = { url: {}, token: {}, 'token-file': {}, ca: {}, ...OF_FILE } as const;
/** With all of them, which in a table of all options would make its columns too wide. */
const BY = `What to group by, up to ${MAX_DIMENSIONS}, comma separated: ${QUERY_DIMENSIONS.join(', ')}`;
const OF_TIME = { from: {}, to: {}, tz: {} } as const;
const PRINTED = { json: {}, csv: {}, ...INFORMATION } as const;

/**
 * What can be asked of the program, and which options each command takes with which default. A name of two words is a
 * command of a group: `tokens create`.
 */
export const COMMANDS = {
  master: {
    summary: 'Store what agents deliver, answer queries over HTTP',
    options: {
      database: { default: 'master.db' },
      'backup-directory': {},
      'listen-host': { default: '0.0.0.0' },
      'listen-port': { default: 8080 },
      'api-token': {},
      'api-token-file': {},
      'trusted-origins': {},
      'allow-hosts': {},
      'minute-retention-days': { default: 14 },
      'half-hour-retention-days': { default: 400 },
      'record-retention-days': { default: 90 },
      'facts-budget': {},
      'mihomo-host': {
        summary:
          'Also collect from this Mihomo, without a separate agent: address, name, unix:/path, http://host[:port] or https://host[:port]',
      },
      'mihomo-port': { default: 9090 },
      'mihomo-token': {},
      'mihomo-token-file': {},
      'mihomo-ca': {},
      'mihomo-insecure': {},
      'sample-interval': { default: 'auto' },
      'journal-budget': {
        default: 512,
        summary:
          "Megabytes that the journal of the master's own agent may take; beyond, minutes are coarsened, bytes are kept",
      },
      console: { default: 'events' },
      check: {},
      ...ALWAYS,
    },
    examples: [
      ['--listen-port 8080 --api-token-file /etc/tracker/token', 'agents deliver here'],
      ['--mihomo-host 127.0.0.1 --mihomo-token SECRET', 'one machine: also collects from its core'],
    ],
  },
  agent: {
    summary: 'Record the connections of one Mihomo, deliver them to a master',
    options: {
      'mihomo-host': { default: '127.0.0.1' },
      'mihomo-port': { default: 9090 },
      'mihomo-token': {},
      'mihomo-token-file': {},
      'mihomo-ca': {},
      'mihomo-insecure': {},
      'master-url': {},
      'master-token': {},
      'master-token-file': {},
      'master-ca': {},
      'local-database': { default: 'agent.db' },
      'sync-interval': { default: 60 },
      'agent-id': {},
      'data-retention-days': { default: 7 },
      'sample-interval': { default: 'auto' },
      'journal-budget': { default: 512 },
      console: { default: 'events' },
      check: {},
      ...ALWAYS,
    },
    examples: [
      [
        '--agent-id home --master-url http://192.168.1.10:8080 --master-token TOKEN',
        'beside a core on this machine',
      ],
      [
        '--mihomo-host unix:/run/mihomo.sock --local-database /var/lib/tracker/agent.db',
        'records only, no master',
      ],
    ],
  },
  top: {
    summary: 'Who or what used most of the traffic, as a table, JSON or CSV',
    options: {
      by: { default: 'host', summary: BY },
      metric: { default: 'total' },
      limit: { default: 10 },
      range: { summary: `${OPTIONS.range.summary}; without all three, 24h` },
      ...OF_TIME,
      filter: {},
      agent: {},
      compare: {},
      interval: { summary: `${OPTIONS.interval.summary}; drawn as a small line in each row` },
      ...ASKED,
      ...PRINTED,
    },
    examples: [
      ['--by site --range 7d --url http://192.168.1.10:8080', 'the sites of a week, by a running master'],
      [
        "--filter 'route = proxied' --by device,process --compare previous",
        'from master.db here, against the day before',
      ],
    ],
  },
  query: {
    summary: 'Sums of traffic by anything, over time: all that POST /api/v1/query can say',
    options: {
      by: { summary: BY },
      metrics: {},
      interval: {},
      limit: { default: 10 },
      'top-by': {},
      'top-mode': {},
      range: { summary: `${OPTIONS.range.summary}; without all three, all that is kept` },
      ...OF_TIME,
      filter: {},
      agent: {},
      compare: {},
      overlay: {},
      body: {},
      ...ASKED,
      ...PRINTED,
    },
    examples: [
      ['--by route --interval day --range 30d --csv', 'for a spreadsheet'],
      ['--body query.json --url https://master.example --token-file /etc/tracker/token', 'as JSON says'],
    ],
  },
  verify: {
    summary: 'Whether the books balance: what cores counted against what was booked',
    options: {
      group: { default: 'day' },
      range: { summary: `${OPTIONS.range.summary}; without all three, seven days` },
      ...OF_TIME,
      agent: {
        summary: 'Only this agent',
      },
      ...ASKED,
      ...PRINTED,
    },
    examples: [['--range month --url http://127.0.0.1:8080', 'exits 3 when something is unbalanced']],
  },
  'tokens create': {
    summary: 'Make a token that agents or clients of the API present',
    options: {
      name: { required: true },
      scope: { required: true },
      'agent-id': {
        noEnvironment: true,
        summary: 'The one agent that may deliver with the token; for --scope agent',
      },
      expires: {},
      ...OF_FILE,
      ...INFORMATION,
    },
    examples: [
      ['--name home --scope agent --agent-id home > master-token', 'for one agent, into a file'],
      ['--name phone --scope read --expires 90d', 'to look at, for three months'],
    ],
  },
  'tokens list': {
    summary: 'List the tokens of a master: scopes, ends, last uses; never the secrets',
    options: { json: {}, ...OF_FILE, ...INFORMATION },
    examples: [['--database /var/lib/tracker/master.db', 'of a master that may be running']],
  },
  'tokens revoke': {
    summary: 'End a token for good, within a second also at a running master',
    arguments: {
      token: {
        type: 'text',
        value: 'ID|NAME',
        summary: 'Number or name of the token, as `tokens list` shows them',
      },
    },
    options: { ...OF_FILE, ...INFORMATION },
    examples: [['phone', 'by its name']],
  },
  'facts rebuild': {
    summary: 'Make lost facts anew, coarsely, while the master is stopped: the last resort without a backup',
    options: { 'from-records': { required: true }, force: {}, ...OF_FILE, ...INFORMATION },
    examples: [['--from-records --database /var/lib/tracker/master.db', 'where no copy can be put back']],
  },
  backup: {
    summary: 'Copy both stores of a master into a directory, and read the copies back',
    options: {
      url: {
        summary:
          'Running master that makes the backup, in its own --backup-directory; without one, the files of a stopped master are copied',
      },
      token: { summary: 'Token of that master, of scope admin' },
      'token-file': {},
      ca: {},
      ...OF_FILE,
      'backup-directory': {},
      ...INFORMATION,
    },
    examples: [
      ['--url http://127.0.0.1:8080 --token-file /etc/tracker/token', 'while it runs'],
      ['--database /var/lib/tracker/master.db --backup-directory /backup', 'while it is stopped'],
    ],
  },
  restore: {
    summary: 'Put the stores of a backup in the place of those of a stopped master',
    arguments: {
      backup: { type: 'path', value: 'BACKUP', summary: 'Directory of the backup, as `backup` made it' },
    },
    options: { only: {}, ...OF_FILE, ...INFORMATION },
    examples: [['/backup/backup-2026-11-23T10-00-00Z --database /var/lib/tracker/master.db', 'both stores']],
  },
  compact: {
    summary: 'Give back the space that deleted rows have left in the files of a stopped master',
    options: { only: {}, ...OF_FILE, ...INFORMATION },
    examples: [['--database /var/lib/tracker/master.db', 'both stores']],
  },
  export: {
    summary: 'Write everything that a question finds into a file: CSV, NDJSON or Parquet',
    options: {
      what: { default: 'facts' },
      format: { default: 'csv' },
      tier: {},
      output: { default: '-' },
      range: {},
      from: {},
      to: {},
      tz: {},
      filter: {},
      query: {},
      ...ASKED,
      ...INFORMATION,
    },
    examples: [
      ['--range 30d --format parquet --output month.parquet', 'a month of a master that is stopped'],
      [
        '--url http://192.168.1.10:8080 --token TOKEN --what connections --filter "process = curl"',
        'of a running one, to standard output',
      ],
    ],
  },
  import: {
    summary: 'Take records of an export into the database of a master that is stopped; again changes nothing',
    arguments: {
      file: { type: 'path', value: 'FILE', summary: 'Export of connections: .csv, .ndjson or .parquet' },
    },
    options: { ...OF_FILE, ...INFORMATION },
    examples: [['connections.ndjson --database /var/lib/tracker/master.db', 'from another master']],
  },
  demo: {
    summary: 'Look around: a simulated core, an agent and a master with made-up history',
    options: { port: { default: 0 }, days: { default: 3 }, seed: {}, keep: {}, ...ALWAYS },
    examples: [['--days 7', 'a week of history']],
  },
  simulate: {
    summary: 'A simulated Mihomo core, for trying an agent and for load',
    options: {
      port: { default: 9090 },
      secret: {},
      connections: {},
      profile: { default: 'router' },
      dialect: { default: 'mihomo' },
      seed: {},
      recording: {},
      speed: { default: 1 },
      ...ALWAYS,
    },
    examples: [['--port 9090 --connections 5000 --seed 1', 'a busy gateway, the same each time']],
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** Commands that ask for numbers. */
export const QUESTIONS = ['top', 'query', 'verify'] as const satisfies readonly CommandName[];
export type QuestionName = (typeof QUESTIONS)[number];

export function isQuestion(name: string | undefined): name is QuestionName {
  return QUESTIONS.some((question) => question === name);
}

/** The declaration in its general shape. */
export function commandSpec(name: CommandName): CommandSpec {
  return COMMANDS[name];
}

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The commands of a group, those whose names begin with its word; none for any other word. */
export function commandsOf(group: string): CommandName[] {
  return COMMAND_NAMES.filter((name) => name.startsWith(`${group} `));
}

/** What may stand first on a command line: commands of one word, and groups. */
export const FIRST_WORDS = [...new Set(COMMAND_NAMES.map(firstWord))];

export function firstWord(name: string): string {
  return name.split(' ', 1)[0] ?? name;
}

/** Names as a person lists them: a group stands for its commands where all of them are meant. */
export function shortNames(names: readonly CommandName[]): string[] {
  const shortened = names.map((name) => {
    const group = commandsOf(firstWord(name));
    return group.length > 0 && group.every((member) => names.includes(member)) ? firstWord(name) : name;
  });
  return [...new Set(shortened)];
}

/** What a command takes beside options. */
export function argumentsOf(command: CommandName): [name: string, spec: OptionSpec][] {
  return Object.entries(commandSpec(command).arguments ?? {});
}

/** Options of a command, in the order of its help. */
export function optionsOf(command: CommandName): OptionName[] {
  return Object.keys(COMMANDS[command].options) as OptionName[];
}

/** Commands that take an option. */
export function commandsWith(option: OptionName): CommandName[] {
  return COMMAND_NAMES.filter((name) => Object.hasOwn(COMMANDS[name].options, option));
}

export function useOf(command: CommandName, option: OptionName): OptionUse {
  return commandSpec(command).options[option] ?? {};
}
