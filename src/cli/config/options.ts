import { LOG_LEVELS } from '../../common/logger.ts';
import { QUERY_DIMENSIONS } from '../../domain/dimensions.ts';
import { EXPORT_FORMATS, EXPORT_KINDS } from '../../domain/export.ts';
import { TOKEN_SCOPES } from '../../domain/token.ts';
import { VERIFY_GROUPS } from '../../master/http/verify-periods.ts';
import { METRICS } from '../../master/query/metrics.ts';
import { MAX_GROUPS } from '../../master/query/questions.ts';
import { RANGE_WORDS } from '../../master/query/range-words.ts';
import { MAX_DIMENSIONS, TOP_MODES } from '../../master/query/traffic-question.ts';
import { TIER_NAMES } from '../../master/store/store.ts';
import type { OptionSpec } from './option.ts';

/**
 * Every option of every command, declared once: flags, names in the environment, help, validation, the types of
 * the values and the tables in the READMEs derive from here and from `commands.ts`, which says who takes what.
 * Names, meanings and defaults of the first dozen are those of the Rust implementation.
 */
export const OPTIONS = {
  database: { type: 'store-path', value: 'PATH', summary: 'Database file of the master (SQLite)' },
  'backup-directory': {
    type: 'store-path',
    value: 'DIR',
    summary: 'Directory in which backups are made; without it, `backup` beside the database',
  },
  'listen-host': { type: 'listen-host', value: 'HOST', summary: 'Address that the master listens on' },
  'listen-port': {
    type: 'integer',
    value: 'PORT',
    min: 0,
    max: 65_535,
    summary: 'Port that the master listens on; 0 takes any free one',
  },
  'api-token': {
    type: 'secret',
    value: 'TOKEN',
    notEmpty: true,
    bearer: true,
    summary:
      'Token with all rights, for agents and clients of the API; without it and without others (tokens create), only loopback, private and link-local addresses are served',
  },
  'api-token-file': {
    type: 'secret-file',
    value: 'FILE',
    fileOf: 'api-token',
    summary: 'File that holds the API token, instead of --api-token',
  },
  'trusted-origins': {
    type: 'origins',
    value: 'ORIGINS',
    summary:
      'Web origins, comma separated, that may call the API from a browser (exact, such as https://a.example)',
  },
  'allow-hosts': {
    type: 'hosts',
    value: 'HOSTS',
    summary: 'Further names, comma separated, under which browsers may reach the master (Host header)',
  },
  'mihomo-host': {
    type: 'core-address',
    value: 'HOST',
    summary: 'Mihomo API: address, name, unix:/path, http://host[:port] or https://host[:port]',
  },
  'mihomo-port': {
    type: 'integer',
    value: 'PORT',
    min: 1,
    max: 65_535,
    summary: 'Port of the Mihomo API',
  },
  'mihomo-token': { type: 'secret', value: 'TOKEN', summary: "Mihomo's `secret`" },
  'mihomo-token-file': {
    type: 'secret-file',
    value: 'FILE',
    fileOf: 'mihomo-token',
    summary: "File that holds Mihomo's secret, instead of --mihomo-token",
  },
  'mihomo-ca': {
    type: 'path',
    value: 'FILE',
    summary: 'PEM certificate authority to trust for an https:// Mihomo',
  },
  'mihomo-insecure': {
    type: 'flag',
    summary: 'Accept any certificate of an https:// Mihomo: whoever sits between can read its secret',
  },
  'master-url': {
    type: 'master-url',
    value: 'URL',
    summary:
      'Master to deliver to, such as http://192.168.1.10:8080; without one the agent only records locally',
  },
  'master-token': { type: 'secret', value: 'TOKEN', bearer: true, summary: 'Token of the master' },
  'master-token-file': {
    type: 'secret-file',
    value: 'FILE',
    fileOf: 'master-token',
    summary: 'File that holds the token of the master, instead of --master-token',
  },
  'master-ca': {
    type: 'path',
    value: 'FILE',
    summary: 'PEM certificate authority to trust for an https:// master',
  },
  'local-database': {
    type: 'store-path',
    value: 'PATH',
    summary: 'Database file of the agent (SQLite): the journal that survives a master out of reach',
  },
  'sync-interval': {
    type: 'integer',
    value: 'SECONDS',
    min: 1,
    max: 86_400,
    unit: 'seconds',
    summary: 'Seconds between deliveries to the master; below 60 they show the running minute, too',
  },
  'agent-id': {
    type: 'agent-id',
    value: 'ID',
    notEmpty: true,
    summary:
      'Name of this agent at the master; without one, an identity is made once and kept in the database file',
  },
  'data-retention-days': {
    type: 'integer',
    value: 'DAYS',
    min: 0,
    max: 3650,
    unit: 'days',
    summary: 'Days that the agent keeps what the master has acknowledged; 0 keeps it for ever',
  },
  'sample-interval': {
    type: 'sample-interval',
    value: 'auto|MS',
    summary:
      'Milliseconds between snapshots of the core; auto follows the number of connections (250 to 2000)',
  },
  'journal-budget': {
    type: 'integer',
    value: 'MB',
    min: 16,
    max: 1_048_576,
    unit: 'MB',
    summary: 'Megabytes that the journal may take; beyond, minutes are coarsened, bytes are kept',
  },
  'minute-retention-days': {
    type: 'integer',
    value: 'DAYS',
    min: 0,
    max: 3650,
    unit: 'days',
    summary:
      'Days that traffic is kept by the minute, at least 7; older traffic is kept by the half hour; 0 keeps minutes for ever',
  },
  'half-hour-retention-days': {
    type: 'integer',
    value: 'DAYS',
    min: 0,
    max: 3650,
    unit: 'days',
    summary: 'Days that traffic is kept by the half hour; 0 keeps it for ever',
  },
  'record-retention-days': {
    type: 'integer',
    value: 'DAYS',
    min: 0,
    max: 3650,
    unit: 'days',
    summary:
      'Days that records of closed connections are kept, at least 7; traffic is kept as long as the options above say; 0 keeps them for ever',
  },
  'facts-budget': {
    type: 'integer',
    value: 'MB',
    min: 64,
    max: 1_048_576,
    unit: 'MB',
    summary:
      'Megabytes that the facts may use; beyond, the oldest days of minutes are dropped, then those of half hours; without it only their age counts',
  },
  name: {
    type: 'token-name',
    value: 'NAME',
    noEnvironment: true,
    summary: 'What the token is called, and revoked by',
  },
  scope: {
    type: 'choice',
    value: TOKEN_SCOPES.join('|'),
    choices: TOKEN_SCOPES,
    noEnvironment: true,
    summary: 'What the token may do: deliver as one agent, ask every question, or everything',
  },
  expires: {
    type: 'expiry',
    value: 'SPAN|TIME',
    noEnvironment: true,
    summary:
      'When the token ends: after 12h, 90d or 4w, or at a time such as 2027-01-31T00:00:00Z; default never',
  },
  json: { type: 'flag', noEnvironment: true, summary: 'Print JSON instead of a table' },
  only: {
    type: 'choice',
    value: 'records|facts',
    choices: ['records', 'facts'],
    noEnvironment: true,
    summary: 'Only the database of records, or only the file of facts; without it, both',
  },
  url: {
    type: 'master-url',
    value: 'URL',
    summary: 'Running master to ask, such as http://192.168.1.10:8080, instead of a database at rest',
  },
  token: { type: 'secret', value: 'TOKEN', bearer: true, summary: 'Token for the master at --url' },
  'token-file': {
    type: 'secret-file',
    value: 'FILE',
    fileOf: 'token',
    summary: 'File that holds the token for the master at --url, instead of --token',
  },
  ca: {
    type: 'path',
    value: 'FILE',
    summary: 'PEM certificate authority to trust for an https:// --url',
  },
  by: {
    type: 'words',
    value: 'DIMENSIONS',
    choices: QUERY_DIMENSIONS,
    most: MAX_DIMENSIONS,
    noEnvironment: true,
    summary: `What to group by, up to ${MAX_DIMENSIONS} dimensions, comma separated, such as device,site (all of them: docs/command-line.md)`,
  },
  metric: {
    type: 'choice',
    value: 'METRIC',
    choices: METRICS,
    noEnvironment: true,
    summary: `What to rank by: ${METRICS.join(', ')}`,
  },
  metrics: {
    type: 'words',
    value: 'METRICS',
    choices: METRICS,
    noEnvironment: true,
    summary: `What to sum, comma separated: ${METRICS.join(', ')}; without it, download, upload and total`,
  },
  limit: {
    type: 'integer',
    value: 'NUMBER',
    min: 1,
    max: MAX_GROUPS,
    noEnvironment: true,
    summary: 'Groups to show; what is beyond is summed as "other"',
  },
  'top-by': {
    type: 'choice',
    value: 'METRIC',
    choices: METRICS,
    noEnvironment: true,
    summary: 'Metric by which the largest groups are found; without it, the first of --metrics',
  },
  'top-mode': {
    type: 'choice',
    value: TOP_MODES.join('|'),
    choices: TOP_MODES,
    noEnvironment: true,
    summary: 'The largest combinations of values, or the largest values of each dimension',
  },
  range: {
    type: 'choice',
    value: 'RANGE',
    choices: RANGE_WORDS,
    noEnvironment: true,
    summary: `Time to look at, instead of --from and --to: ${RANGE_WORDS.join(', ')}`,
  },
  from: {
    type: 'text',
    value: 'TIME',
    noEnvironment: true,
    summary: 'Begin, such as 2026-11-01, 2026-11-01T08:00 (both read in --tz) or 2026-11-01T08:00:00Z',
  },
  to: {
    type: 'text',
    value: 'TIME',
    noEnvironment: true,
    summary: 'End, itself not included; now without it',
  },
  tz: {
    type: 'text',
    value: 'ZONE',
    noEnvironment: true,
    summary: 'Time zone of days and local times, such as Asia/Shanghai; without it, that of this machine',
  },
  filter: {
    type: 'text',
    value: 'FILTER',
    noEnvironment: true,
    summary: "Only traffic that fits, such as 'route = proxied and not site under example.com'",
  },
  agent: {
    type: 'words',
    value: 'IDS',
    noEnvironment: true,
    summary: 'Only these agents, comma separated',
  },
  compare: {
    type: 'text',
    value: 'previous|FROM/TO',
    noEnvironment: true,
    summary: 'Also sum the time of the same length before, or another one',
  },
  interval: {
    type: 'text',
    value: 'WIDTH',
    noEnvironment: true,
    summary: 'Points over time: auto, minute, hour, day, week, month, or a multiple such as 5m, 6h',
  },
  overlay: {
    type: 'flag',
    noEnvironment: true,
    summary: 'Overlay connections too, whose bytes repeat those of counted ones',
  },
  body: {
    type: 'path',
    value: 'FILE|-',
    noEnvironment: true,
    summary: 'The query as JSON, as POST /api/v1/query takes it, from a file or (-) standard input',
  },
  group: {
    type: 'choice',
    value: VERIFY_GROUPS.join('|'),
    choices: VERIFY_GROUPS,
    noEnvironment: true,
    summary: 'Books of which period: each day, each month, or the whole range',
  },
  csv: { type: 'flag', noEnvironment: true, summary: 'Print CSV (RFC 4180) instead of a table' },
  console: {
    type: 'choice',
    value: 'off|events|traffic',
    choices: ['off', 'events', 'traffic'],
    summary: 'Lines on standard output: connections opened and closed, or the traffic of live ones as well',
  },
  'log-level': {
    type: 'choice',
    value: 'LEVEL',
    choices: LOG_LEVELS,
    summary: `How much to log on standard error: ${LOG_LEVELS.join(', ')}`,
  },
  check: { type: 'flag', summary: 'Check options and construct everything, but start nothing' },
  port: {
    type: 'integer',
    value: 'PORT',
    min: 0,
    max: 65_535,
    summary: 'Port to listen on; 0 takes any free one',
  },
  days: {
    type: 'integer',
    value: 'DAYS',
    min: 1,
    max: 365,
    unit: 'days',
    summary: 'Days of history to make up',
  },
  seed: {
    type: 'integer',
    value: 'NUMBER',
    min: 0,
    max: 4_294_967_295,
    summary:
      'Seed of the random numbers: the same seed makes the same traffic; without one, a new one each time',
  },
  keep: {
    type: 'path',
    value: 'DIR',
    summary: "Keep the demo's data in this directory instead of removing it at the end",
  },
  secret: { type: 'secret', value: 'SECRET', summary: 'Secret that the simulated core asks for' },
  connections: {
    type: 'integer',
    value: 'NUMBER',
    min: 0,
    max: 200_000,
    summary:
      'Connections held open all the time, besides those that come and go; without it, as the profile says',
  },
  profile: {
    type: 'choice',
    value: 'router|desktop',
    choices: ['router', 'desktop'],
    summary: 'Whose traffic to simulate: many devices without processes, or one with',
  },
  dialect: {
    type: 'choice',
    value: 'NAME',
    choices: ['mihomo', 'old', 'sing-box', 'clash-rs', 'fork'],
    summary: 'Whose API to speak: mihomo, old, sing-box, clash-rs, fork',
  },
  recording: { type: 'path', value: 'FILE', summary: 'Play this recording of a real core instead' },
  speed: {
    type: 'decimal',
    value: 'FACTOR',
    min: 0.01,
    max: 10_000,
    summary: 'How many times faster than the clock the recording plays',
  },
  'from-records': {
    type: 'flag',
    noEnvironment: true,
    summary: 'Make half hours of what each record says: a total, a start and an end; minutes are lost',
  },
  force: {
    type: 'flag',
    noEnvironment: true,
    summary: 'Also where the facts can be read; they are kept beside the new ones',
  },
  what: {
    type: 'choice',
    value: EXPORT_KINDS.join('|'),
    choices: EXPORT_KINDS,
    noEnvironment: true,
    summary: 'What to export: the facts, the records of connections, or the answer to --query',
  },
  format: {
    type: 'choice',
    value: EXPORT_FORMATS.join('|'),
    choices: EXPORT_FORMATS,
    noEnvironment: true,
    summary: 'Format of the file',
  },
  tier: {
    type: 'choice',
    value: TIER_NAMES.join('|'),
    choices: TIER_NAMES,
    noEnvironment: true,
    summary:
      'Facts by the minute or by the half hour; without it, minutes where all of the time still has them',
  },
  output: {
    type: 'path',
    value: 'FILE|-',
    noEnvironment: true,
    summary: 'Where to write; - is standard output',
  },
  query: {
    type: 'text',
    value: 'JSON',
    noEnvironment: true,
    summary: 'Body of POST /api/v1/query, for --what query',
  },
  help: { type: 'flag', short: 'h', noEnvironment: true, summary: 'Show this help' },
  version: { type: 'flag', short: 'V', noEnvironment: true, summary: 'Show the version' },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** The declaration in its general shape; `OPTIONS` itself keeps the literal types that `values.ts` reads. */
export function specOf(name: OptionName): OptionSpec {
  return OPTIONS[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}
