import {
  argumentsOf,
  COMMAND_NAMES,
  type CommandName,
  commandSpec,
  commandsOf,
  optionsOf,
  useOf,
} from './commands.ts';
import { fromEnvironment } from './gather.ts';
import { environmentName } from './option.ts';
import { type OptionName, specOf } from './options.ts';
import { columns, wrap } from './wrap.ts';

export const PROGRAM = 'mihomo-connections-tracker';
const WIDTH = 98;

/** `--listen-port PORT`, and `-h, --help`. */
export function flagForm(name: OptionName): string {
  const { short, value } = specOf(name);
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function optionRow(command: CommandName, name: OptionName): [string, string] {
  const spec = specOf(name);
  const use = useOf(command, name);
  const notes = [
    ...(use.default === undefined ? [] : [`default: ${use.default}`]),
    ...(use.required === true ? ['required'] : []),
    ...(fromEnvironment(command, name) ? [`env: ${environmentName(name)}`] : []),
  ];
  const summary = use.summary ?? spec.summary;
  return [flagForm(name), notes.length === 0 ? summary : `${summary}\n[${notes.join(', ')}]`];
}

function examples(commands: readonly CommandName[]): string[] {
  return commands.flatMap((command) =>
    commandSpec(command).examples.flatMap(([args, meaning]) => [
      `  # ${meaning}`,
      ...wrap(`${PROGRAM} ${command} ${args}`, WIDTH - 8).map((line, index, all) => {
        const more = index < all.length - 1 ? ' \\' : '';
        return `  ${index === 0 ? '' : '    '}${line}${more}`;
      }),
    ]),
  );
}

/** `mihomo-connections-tracker --help`. */
export function programHelp(): string {
  const lines = [
    'Records every connection of Mihomo (Clash Meta) cores: who used the traffic, and for what.',
    '',
    `Usage: ${PROGRAM} <command> [options]`,
    '',
    'Commands:',
    ...columns(
      COMMAND_NAMES.map((name) => [name, commandSpec(name).summary] as const),
      WIDTH,
    ),
    '',
    'Options:',
    ...columns(
      [
        [flagForm('help'), `${specOf('help').summary}, or that of a command after its name`],
        [flagForm('version'), specOf('version').summary],
      ],
      WIDTH,
    ),
    '',
    ...wrap(
      `Every option can also be given in the environment, as ${environmentName('listen-port')} for --listen-port; a flag wins.`,
      WIDTH,
    ),
    '',
    'Examples:',
    ...examples(['demo', 'master', 'agent']),
    '',
  ];
  return lines.join('\n');
}

/** `mihomo-connections-tracker tokens --help`. */
export function groupHelp(group: string): string {
  const commands = commandsOf(group);
  const lines = [
    `Usage: ${PROGRAM} ${group} <command> [options]`,
    '',
    'Commands:',
    ...columns(
      commands.map((name) => [name, commandSpec(name).summary] as const),
      WIDTH,
    ),
    '',
    'Examples:',
    ...examples(commands),
    '',
  ];
  return lines.join('\n');
}

/** `mihomo-connections-tracker <command> --help`. */
export function commandHelp(command: CommandName): string {
  const words = argumentsOf(command);
  const usage = [command, ...words.map(([, spec]) => spec.value ?? ''), '[options]'].join(' ');
  const lines = [
    `${commandSpec(command).summary}.`,
    '',
    `Usage: ${PROGRAM} ${usage}`,
    '',
    ...(words.length === 0
      ? []
      : [
          'Arguments:',
          ...columns(
            words.map(([, spec]) => [spec.value ?? '', spec.summary]),
            WIDTH,
          ),
          '',
        ]),
    'Options:',
    ...columns(
      optionsOf(command).map((name) => optionRow(command, name)),
      WIDTH,
    ),
    '',
    'Examples:',
    ...examples([command]),
    '',
  ];
  return lines.join('\n');
}
