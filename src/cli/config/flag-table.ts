import { padEnd, widthOf } from '../../agent/monitor/width.ts';
import { COMMAND_NAMES, type CommandName, commandSpec, commandsWith, shortNames, useOf } from './commands.ts';
import { flagForm } from './help.ts';
import { environmentName } from './option.ts';
import { OPTION_NAMES, type OptionName, specOf } from './options.ts';
import { SUMMARIES_ZH } from './options.zh.ts';

export type Language = 'en' | 'zh-CN';

export const TABLE_START = '<!-- flags:start -->';
export const TABLE_END = '<!-- flags:end -->';

const HEADINGS: Readonly<Record<Language, readonly string[]>> = {
  en: ['Flag', 'Command', 'Default', 'Meaning'],
  'zh-CN': ['参数', '命令', '默认值', '说明'],
};

const NOTES: Readonly<Record<Language, string>> = {
  en: `Every flag can also be given in the environment, as \`${environmentName('listen-port')}\` for \`--listen-port\`; a flag wins.`,
  'zh-CN': `每个参数也可以用环境变量给出，例如 \`--listen-port\` 对应 \`${environmentName('listen-port')}\`；命令行优先。`,
};

/** A pipe would end the cell, `<` could begin HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** One default for all commands that have one, or each with its command where they differ. */
function defaults(name: OptionName): string {
  const takers = commandsWith(name);
  const byValue = new Map<string, CommandName[]>();
  for (const command of takers) {
    const value = String(useOf(command, name).default ?? '');
    byValue.set(value, [...(byValue.get(value) ?? []), command]);
  }
  return [...byValue]
    .filter(([value]) => value !== '')
    .map(
      ([value, commands]) => `\`${value}\`${byValue.size > 1 ? ` (${shortNames(commands).join(', ')})` : ''}`,
    )
    .join(', ');
}

function takers(name: OptionName, language: Language): string {
  const commands = commandsWith(name);
  if (commands.length < COMMAND_NAMES.length) return shortNames(commands).join(', ');
  return language === 'en' ? 'all' : '全部';
}

/** Commands in their order, each option at the first command that takes it. */
function ordered(): OptionName[] {
  const names = COMMAND_NAMES.flatMap((command) => Object.keys(commandSpec(command).options) as OptionName[]);
  const everywhere = (name: OptionName) => commandsWith(name).length === COMMAND_NAMES.length;
  const distinct = [...new Set(names)];
  return [...distinct.filter((name) => !everywhere(name)), ...distinct.filter(everywhere)];
}

/** Columns padded as the formatter pads Markdown, so that both agree on the file. */
function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head, ...body] = rows.map((row) =>
    line(row.map((text, column) => padEnd(text, widths[column] ?? 0))),
  );
  return [head ?? '', line(widths.map((width) => '-'.repeat(width))), ...body];
}

/** The Markdown table of all flags, as it stands in the README of a language. */
export function flagTable(language: Language): string {
  const rows = ordered().map((name) => {
    const summary = language === 'en' ? specOf(name).summary : SUMMARIES_ZH[name];
    const flag = `\`${flagForm(name).replaceAll('|', '\\|')}\``;
    return [flag, takers(name, language), cell(defaults(name)), cell(summary)];
  });
  return [NOTES[language], '', ...markdownTable([HEADINGS[language], ...rows])].join('\n');
}

/** A README with the table between its markers replaced; undefined when the markers are missing. */
export function withFlagTable(readme: string, language: Language): string | undefined {
  const start = readme.indexOf(TABLE_START);
  const end = readme.indexOf(TABLE_END);
  if (start < 0 || end < start) return undefined;
  const before = readme.slice(0, start + TABLE_START.length);
  return `${before}\n${flagTable(language)}\n\n${readme.slice(end)}`;
}

/** Every option belongs to a command, or it would be in no help text. */
export function orphans(): OptionName[] {
  return OPTION_NAMES.filter((name) => commandsWith(name).length === 0);
}
