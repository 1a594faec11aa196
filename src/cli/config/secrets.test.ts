import { describe, expect, test } from 'vitest';
import type { Environment } from './gather.ts';
import { type ParsedCommand, parseCommandLine } from './parse.ts';
import type { Problem } from './problems.ts';

type Command = ParsedCommand['command'];

function noFile(path: string): string {
  throw new Error(`ENOENT: no such file, open '${path}'`);
}

function parse(line: string, env: Environment, readFile: (path: string) => string) {
  return parseCommandLine(line.split(' ').filter(Boolean), env, readFile);
}

function run<C extends Command>(command: C, line = '', env: Environment = {}, readFile = noFile) {
  const parsed = parse(`${command} ${line}`, env, readFile);
  if (parsed.kind !== 'run') throw new Error(JSON.stringify(parsed));
  return parsed as Extract<ParsedCommand, { command: C }>;
}

function problems(line: string, env: Environment = {}, readFile = noFile): readonly Problem[] {
  const parsed = parse(line, env, readFile);
  if (parsed.kind !== 'problems') throw new Error(`accepted: ${JSON.stringify(parsed)}`);
  return parsed.problems;
}

describe('secrets', () => {
  const files = (path: string) =>
    ({ '/t': 'hunter2\n', '/crlf': 'a b\r\n', '/empty': '\n', '/two': 'a\nb\n' })[path] ?? noFile(path);

  test('come from files, without the newline at the end', () => {
    expect(run('master', '--api-token-file /t', {}, files).values.apiToken).toBe('hunter2');
    expect(run('agent', '--mihomo-token-file /crlf', {}, files).values.mihomoToken).toBe('a b');
    expect(run('agent', '', { MIHOMO_TRACKER_MIHOMO_TOKEN_FILE: '/t' }, files).values.mihomoToken).toBe(
      'hunter2',
    );
  });

  test('value and file together are an error; across sources the command line wins, with a word', () => {
    expect(problems('master --api-token x --api-token-file /t', {}, files)).toEqual([
      {
        flag: '--api-token',
        given: '********',
        problem: 'is given besides --api-token-file',
        valid: 'one of the two',
      },
    ]);
    const won = run('master', '--api-token x', { MIHOMO_TRACKER_API_TOKEN_FILE: '/t' }, files);
    expect(won.values.apiToken).toBe('x');
    expect(won.warnings).toEqual([expect.stringContaining('MIHOMO_TRACKER_API_TOKEN_FILE')]);
  });

  test('an empty, missing or many-lined file is an error: never silently no token', () => {
    expect(problems('master --api-token-file /empty', {}, files)[0]?.problem).toBe('is empty');
    expect(problems('master --api-token-file /none', {}, files)[0]?.problem).toContain(
      'cannot be read: ENOENT',
    );
    expect(problems('master --api-token-file /two', {}, files)[0]?.problem).toContain('several lines');
  });

  test.each([
    ['master --api-token hunter2 --api-token hunter2'],
    ['master --api-tokn hunter2'],
    ['master --api-tokn=hunter2'],
    ['master --api-token my hunter2'],
    ['master --api-token x\u0007hunter2'],
    ['--api-token=hunter2 master'],
    ['agent --master-url http://user:hunter2@host'],
    ['agent --mihomo-host https://user:hunter2@host'],
    ['agent --master-url hunter2@host'],
  ])('are never shown: %s', (line) => {
    expect(JSON.stringify(problems(line))).not.toContain('hunter2');
  });
});
