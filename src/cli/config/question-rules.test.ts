import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './parse.ts';
import { questionRules } from './question-rules.ts';

const parse = (...argv: string[]) => parseCommandLine(argv, {}, () => 'secret', questionRules);

/** Flags and what is wrong with them. */
function problemsOf(...argv: string[]): string[] {
  const line = parse(...argv);
  if (line.kind !== 'problems') throw new Error(`${line.kind}: nothing is wrong with ${argv.join(' ')}`);
  return line.problems.map(({ flag, problem, shown }) => `${flag} ${shown?.join('|') ?? problem}`);
}

describe('what is wrong with a question', () => {
  it('is said all at once, an unknown flag and a place in a filter alike', () => {
    expect(
      problemsOf(
        ...['top', '--by', 'host,hst', '--nothing', '--filter', 'hst = 1', '--from', 'soon', '--tz', 'Moon'],
        ...['--interval', '7m', '--compare', 'yesterday', '--limit', '0', '--json', '--csv'],
      ),
    ).toEqual([
      '--nothing is not a known option',
      '--by has what is none of the choices: hst (did you mean host?)',
      '--limit is out of range',
      '--json is given besides --csv',
      '--tz is no time zone',
      expect.stringContaining('--from must be an ISO 8601 time'),
      '--interval is no width of a point',
      '--compare is no period',
      expect.stringMatching(/^--filter hst = 1\|\^\^\^\|at 1: there is no field "hst"/),
    ]);
  });

  it.each([
    [['top', '--range', '7d', '--from', '2026-01-01'], '--range cannot be combined with --from'],
    [['query', '--from', '2026-01-02', '--to', '2026-01-01'], '--to must be after --from'],
    [['query', '--compare', '2026-01-02/2026-01-01'], '--compare ends before it begins'],
    [['query', '--compare', '2026-01-02/then'], '--compare must be an ISO 8601 time'],
    [['query', '--body', 'q.json', '--filter', 'a'], '--filter is given besides --body'],
    [['query', '--by', 'host,host'], '--by names something twice'],
    [['query', '--by', 'host,'], '--by has nothing before or after a comma'],
    [['query', '--by', 'host,site,node,rule,agent'], '--by names too many'],
    [['verify', '--agent', 'a,b'], '--agent names several agents'],
    [['verify', '--ca', 'x.pem'], '--ca would do nothing: there is no --url'],
    [
      ['verify', '--ca', 'x.pem', '--url', 'http://a'],
      '--ca would do nothing: this connection is not encrypted',
    ],
  ])('%j', (argv, problem) => {
    expect(problemsOf(...argv)).toEqual([expect.stringContaining(problem)]);
  });

  it('is nothing where a filter, times and zone are right', () => {
    const line = parse(
      ...['top', '--filter', 'route = proxied', '--from', '2026-01-01', '--to', '2026-01-02T08:00', '--tz'],
      ...['Asia/Shanghai', '--compare', '2025-01-01/2025-01-02', '--interval', 'auto'],
    );
    expect(line).toMatchObject({
      kind: 'run',
      values: { by: ['host'], metric: 'total', limit: 10, agent: [] },
    });
  });
});

describe('what has no effect', () => {
  it('is warned about', () => {
    expect(parse('top', '--token', 'x')).toMatchObject({
      warnings: [expect.stringContaining('--token has no effect')],
    });
    expect(parse('top', '--url', 'http://10.0.0.1', '--database', 'x.db')).toMatchObject({
      warnings: ['--database has no effect: the master at --url is asked'],
    });
    expect(parse('top', '--url', 'http://master.example')).toMatchObject({
      warnings: [expect.stringContaining('is not encrypted')],
    });
  });
});
