import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { argumentsOf, COMMAND_NAMES, commandsOf, optionsOf, shortNames } from './commands.ts';
import { flagTable, orphans, withFlagTable } from './flag-table.ts';
import { fromEnvironment } from './gather.ts';
import { commandHelp, groupHelp, programHelp } from './help.ts';
import { environmentName, optionOfEnvironment } from './option.ts';
import { OPTION_NAMES } from './options.ts';
import { MASK, renderProblems } from './problems.ts';

const root = join(import.meta.dirname, '../../..');

test('every command and each of its options is in the help, within 98 columns', () => {
  for (const command of COMMAND_NAMES) {
    expect(programHelp()).toContain(`  ${command} `);
    const help = commandHelp(command);
    for (const option of optionsOf(command)) {
      expect(help).toContain(`--${option}`);
      if (fromEnvironment(command, option)) expect(help).toContain(environmentName(option));
    }
    for (const line of `${help}${programHelp()}`.split('\n'))
      expect(line.length, line).toBeLessThanOrEqual(98);
  }
});

test('a group has its commands in its help, and a command the words that it takes', () => {
  const help = groupHelp('tokens');
  for (const command of commandsOf('tokens')) expect(help).toContain(`  ${command} `);
  expect(commandsOf('master')).toEqual([]);
  for (const command of COMMAND_NAMES) {
    for (const [, { value = '', summary }] of argumentsOf(command)) {
      expect(commandHelp(command)).toContain(`tracker ${command} ${value} [options]`);
      expect(commandHelp(command)).toContain(summary);
    }
  }
  expect(argumentsOf('tokens revoke').map(([name]) => name)).toEqual(['token']);
});

test('commands as a person lists them: a group where all of it is meant', () => {
  expect(shortNames(commandsOf('tokens'))).toEqual(['tokens']);
  expect(shortNames(['master', 'tokens list'])).toEqual(['master', 'tokens list']);
  expect(flagTable('en')).toMatch(
    /\| `--database PATH` +\| master, top, query, verify, tokens, facts, backup, restore, compact, export, import +\|/,
  );
});

test('the help of simulate, as it reads', () => {
  expect(commandHelp('simulate')).toMatchSnapshot();
});

test('every option belongs to a command, and its name survives the way to the environment and back', () => {
  expect(orphans()).toEqual([]);
  for (const name of OPTION_NAMES) expect(optionOfEnvironment(environmentName(name))).toBe(name);
  expect(environmentName('api-token')).toBe('MIHOMO_TRACKER_API_TOKEN');
});

test('the tables in the READMEs are those of the options (node scripts/flags.ts --write)', () => {
  for (const [file, language] of [
    ['README.md', 'en'],
    ['README.zh-CN.md', 'zh-CN'],
  ] as const) {
    const readme = readFileSync(join(root, file), 'utf8');
    expect(withFlagTable(readme, language), file).toBe(readme);
  }
});

test('a README without markers is not touched', () => {
  expect(withFlagTable('# Title', 'en')).toBeUndefined();
  expect(withFlagTable('<!-- flags:end --><!-- flags:start -->', 'en')).toBeUndefined();
});

test('defaults that differ between commands name theirs', () => {
  expect(flagTable('en')).toMatch(
    /\| `--mihomo-host HOST` +\| master, agent +\| `127\.0\.0\.1` \(agent\) +\|/,
  );
  expect(flagTable('en')).toContain('auto\\|MS');
});

test('problems as text: everything on its own lines, nothing that a terminal would obey', () => {
  const text = renderProblems('tracker', 'agent', [
    { flag: '--agent-id', given: '\u001b[2Jx\u202E', problem: 'has control characters', valid: 'others' },
    { flag: '--api-token', given: MASK, problem: 'is given twice', valid: '' },
    { flag: '--x', given: 'y'.repeat(500), problem: 'is long', valid: '' },
  ]);
  expect(text).toContain('tracker: 3 problems with the options');
  expect(text).toContain('--agent-id \\u{1B}[2Jx\\u{202E}\n');
  expect(text).toContain('      valid: others\n');
  expect(text).toContain('tracker agent --help');
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(120);
});
