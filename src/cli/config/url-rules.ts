import { isExposed } from './check-master-url.ts';
import type { Findings, Settled } from './rules.ts';

/** What comes of `--url`, `--token` and `--ca` together, in every command that can ask a running master. */
export function urlRules({ values, given }: Settled): Findings {
  const url = values.get('url') as string | undefined;
  const warnings: string[] = [];
  if (url === undefined && given.has('token')) {
    warnings.push('--token has no effect: without --url no master is asked');
  }
  if (url !== undefined && isExposed(url)) {
    warnings.push(`--url ${url} is not encrypted: everybody on the way can read the token and the history`);
  }
  if (!given.has('ca') || url?.startsWith('https:')) return { problems: [], warnings };
  const reason = url === undefined ? 'there is no --url' : 'this connection is not encrypted';
  const problem = {
    flag: '--ca',
    given: String(values.get('ca')),
    problem: `would do nothing: ${reason}`,
    valid: '--url https://host[:port]',
  };
  return { problems: [problem], warnings };
}
