import { resolve } from 'node:path';
import { SETTLED_DAYS } from '../../master/store/retention.ts';
import { isExposed } from './check-master-url.ts';
import type { Value } from './check-value.ts';
import type { CommandName } from './commands.ts';
import { coreAddressKind } from './core-address.ts';
import type { OptionName } from './options.ts';
import type { Problem } from './problems.ts';
import { urlRules } from './url-rules.ts';

/** The checked values of one command, before they are handed out typed. */
export interface Settled {
  readonly command: CommandName;
  /** Values, defaults included. */
  readonly values: ReadonlyMap<OptionName, Value>;
  /** Options that were really given, by flag, environment or file; their values may have been refused. */
  readonly given: ReadonlySet<OptionName>;
}

export interface Findings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/**
 * Rules between options: each names what would silently not happen. What the Rust implementation took without a
 * word is only warned about, so that its command lines keep working; combinations of newer options are refused.
 */
export function applyRules(settled: Settled): Findings {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const given = (name: OptionName) => settled.given.has(name) && settled.values.get(name) !== false;
  const useless = (name: OptionName, problem: string, valid: string) => {
    if (given(name)) problems.push({ flag: `--${name}`, given: '', problem, valid });
  };
  const idle = (name: OptionName, reason: string) => {
    if (given(name)) warnings.push(`--${name} has no effect: ${reason}`);
  };
  const text = (name: OptionName) => settled.values.get(name) as string | undefined;

  for (const name of ['database', 'backup-directory', 'keep'] as const) {
    // With its directory, which may be the working one. Said here: DuckDB would say it late, and of another file.
    const path = text(name);
    if (path === undefined || !resolve(path).includes('?')) continue;
    problems.push({
      flag: `--${name}`,
      given: path,
      problem: `is ${resolve(path)}, and DuckDB takes what follows a question mark in a path for settings`,
      valid: 'a path without ?',
    });
  }

  problems.push(...retentionProblems(settled.values));

  const core = text('mihomo-host');
  if (settled.command === 'master' && core === undefined) {
    idle('mihomo-port', 'without --mihomo-host the master collects from no core itself');
    idle('mihomo-token', 'without --mihomo-host the master collects from no core itself');
    for (const name of ['mihomo-ca', 'mihomo-insecure'] as const) {
      useless(
        name,
        'would do nothing: the master collects from no core itself',
        'add --mihomo-host https://…',
      );
    }
  } else if (core !== undefined) {
    const kind = coreAddressKind(core);
    if (kind.portDecided)
      idle('mihomo-port', 'the address in --mihomo-host already decides where to connect');
    if (!kind.tls) {
      for (const name of ['mihomo-ca', 'mihomo-insecure'] as const) {
        useless(
          name,
          'would do nothing: this connection is not encrypted',
          '--mihomo-host https://host[:port]',
        );
      }
    } else if (given('mihomo-ca')) {
      useless(
        'mihomo-insecure',
        'would make --mihomo-ca pointless: any certificate would do',
        'one of the two',
      );
    }
  }

  if (settled.command === 'agent') {
    const url = text('master-url');
    if (url === undefined) idle('master-token', 'there is no --master-url');
    if (!url?.startsWith('https:')) {
      const reason = url === undefined ? 'there is no --master-url' : 'this connection is not encrypted';
      useless('master-ca', `would do nothing: ${reason}`, '--master-url https://host[:port]');
    }
    if (url !== undefined && isExposed(url)) {
      warnings.push(
        `--master-url ${url} is not encrypted: everybody on the way can read the token and the history`,
      );
    }
  }
  if (settled.command === 'backup' || settled.command === 'export') {
    const asked = urlRules(settled);
    problems.push(...asked.problems);
    warnings.push(...asked.warnings);
  }
  if (settled.command === 'export') {
    if (text('url') !== undefined) idle('database', 'the master at --url is asked');
    const what = text('what') ?? '';
    if (what !== 'query') useless('query', `would do nothing with --what ${what}`, 'add --what query');
    if (what !== 'facts')
      useless('tier', `would do nothing with --what ${what}`, '--what facts, or no --tier');
  }
  if (settled.command === 'backup' && text('url') !== undefined) {
    for (const name of ['database', 'backup-directory'] as const) {
      idle(name, 'the master at --url knows its files, and where its backups are made');
    }
  }
  if (settled.command === 'tokens create' && text('scope') !== undefined) {
    if (text('scope') !== 'agent') {
      useless(
        'agent-id',
        'would do nothing: only agents are bound to an id',
        '--scope agent, or no --agent-id',
      );
    } else if (!given('agent-id')) {
      problems.push({
        flag: '--agent-id',
        given: '',
        problem: 'is required: a token of an agent is bound to its id',
        valid: '--agent-id ID',
      });
    }
  }
  return { problems, warnings };
}

/** Fewer days would do nothing; half hours that end before minutes do would leave a hole where the two meet. */
function retentionProblems(values: ReadonlyMap<OptionName, Value>): Problem[] {
  const problems: Problem[] = [];
  const names = ['minute-retention-days', 'half-hour-retention-days'] as const;
  const [minutes, halfHours] = names.map((name) => values.get(name) as number | undefined);
  for (const [name, what] of [
    ...names.map((name) => [name, 'would not be done: facts stay'] as const),
    ['record-retention-days', 'is too short: records stay'] as const,
  ]) {
    const days = values.get(name);
    if (typeof days !== 'number' || days === 0 || days >= SETTLED_DAYS) continue;
    problems.push({
      flag: `--${name}`,
      given: String(days),
      problem: `${what} ${SETTLED_DAYS} days, so that a restored backup can be completed`,
      valid: `0, or ${SETTLED_DAYS} days and more`,
    });
  }
  if (minutes === undefined || halfHours === undefined || halfHours === 0) return problems;
  if (minutes === 0 || minutes > halfHours) {
    problems.push({
      flag: '--half-hour-retention-days',
      given: String(halfHours),
      problem: `is less than minutes are kept (--minute-retention-days ${minutes})`,
      valid: '0, or no fewer days than minutes',
    });
  }
  return problems;
}
