import { visible } from '../../agent/monitor/visible.ts';

/** One thing that is wrong with the command line or the environment. */
export interface Problem {
  /** As typed: `--listen-port`, `MIHOMO_TRACKER_LISTEN_PORT`, or the word that was no option. */
  readonly flag: string;
  /** What was given; secrets are masked. Empty when nothing was. */
  readonly given: string;
  readonly problem: string;
  /** What would be accepted; empty when the problem says it all. */
  readonly valid: string;
  /** Lines that show where, between the flag and the problem; safe for a terminal. */
  readonly shown?: readonly string[];
}

export const MASK = '********';

/** Longer ones are cut: a value pasted into the wrong place must not fill the screen. */
const LONGEST = 80;

function shown(text: string): string {
  const safe = visible(text.slice(0, LONGEST));
  return text.length > LONGEST ? `${safe}…` : safe;
}

/** The problems as text for a terminal, all of them at once. */
export function renderProblems(
  program: string,
  command: string | undefined,
  problems: readonly Problem[],
): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = [`${program}: ${count} with the options`, ''];
  for (const { flag, given, problem, valid, shown: place = [] } of problems) {
    lines.push(`  ${shown(flag)}${given === '' ? '' : ` ${shown(given)}`}`);
    for (const line of place) lines.push(`      ${line}`);
    if (problem !== '') lines.push(`      ${visible(problem)}`);
    if (valid !== '') lines.push(`      valid: ${visible(valid)}`);
  }
  const help = command === undefined ? `${program} --help` : `${program} ${command} --help`;
  lines.push('', `See \`${help}\` for everything there is.`);
  return `${lines.join('\n')}\n`;
}
