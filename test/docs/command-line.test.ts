import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withDimensionNames } from '../../scripts/dimension-tables.ts';
import { isQuestion, optionsOf, QUESTIONS } from '../../src/cli/config/commands.ts';
import { parseCommandLine } from '../../src/cli/config/parse.ts';
import { questionRules } from '../../src/cli/config/question-rules.ts';
import { METRICS } from '../../src/master/query/metrics.ts';
import { RANGE_WORDS } from '../../src/master/query/range-words.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/command-line.md'), 'utf8');

/** The words in code of the item of an option. */
function wordsOf(option: string): string[] {
  const begin = document.indexOf(`\n- \`--${option}\`: `) + `\n- \`--${option}\`: `.length;
  // Up to what is said when it is not given, or instead.
  const item = document.slice(begin).split(/\. Default|; or /, 1)[0] ?? '';
  return [...item.matchAll(/`([^`]*)`/g)].map(([, word]) => word ?? '');
}

it('docs/command-line.md names all words that options take, and no others', () => {
  expect(withDimensionNames(document), 'node scripts/dimensions.ts --write').toBe(document);
  expect(wordsOf('metric')).toEqual(METRICS);
  expect(wordsOf('range')).toEqual(RANGE_WORDS);
});

it('docs/command-line.md speaks of every option of the commands that ask', () => {
  for (const question of QUESTIONS) {
    for (const option of optionsOf(question)) {
      if (option !== 'version') expect(document, `--${option}`).toContain(`--${option}`);
    }
  }
});

it('the examples in docs/command-line.md are command lines as the program takes them', () => {
  const blocks = [...document.matchAll(/^```\w*\n(.*?)^```/gms)].map(([, block]) => block).join('');
  const examples = [...blocks.matchAll(/mihomo-connections-tracker (.*?)(?: > | \|\| |\n)/g)].map(
    ([, line]) =>
      [...(line ?? '').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
  );
  const asked = examples.filter(([command]) => isQuestion(command));
  expect(asked.length).toBeGreaterThan(5);
  for (const argv of asked) {
    expect(parseCommandLine(argv, {}, () => 'x', questionRules).kind, argv.join(' ')).toBe('run');
  }
});
