import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { JOURNAL } from './agent/journal.ts';
import { AGENT } from './agent/scenario.ts';
import { EXPORTS } from './export/scenario.ts';
import { FACTS } from './facts/scenario.ts';
import { machine } from './machine.ts';
import { INGEST } from './master/scenario.ts';
import { type Measured, renderTable, writeReport } from './report.ts';
import type { BenchOptions, Scenario } from './scenario.ts';

/**
 * Measures the bars that this program promises, prints a table, and with `--write` keeps it in docs/benchmarks.md.
 * Nothing here fails by the clock: a bar that is missed is shown as missed.
 *
 * `npm run bench -- [--only agent,journal,master,facts,exports] [--quick] [--write] [--program FILE] [--directory DIR]
 *   [--connections 5000000,25000000] [--seed 1] [--data DIR]`
 */
const SCENARIOS: readonly Scenario[] = [AGENT, JOURNAL, INGEST, FACTS, EXPORTS];
const root = join(import.meta.dirname, '..');
/** Fewer would leave hours without any. */
const MIN_SIZE = 10_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    /** Another build, to be compared with this one. */
    program: { type: 'string', default: join(root, 'bin', 'mihomo-connections-tracker.cjs') },
    /** Where the databases are written; it must be a real disk. */
    directory: { type: 'string', default: join(root, 'node_modules', '.cache') },
    /** Where generated data is kept between runs. */
    data: { type: 'string', default: join(root, 'node_modules', '.cache', 'bench-data') },
    connections: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});

const wanted = values.only?.split(',') ?? SCENARIOS.map((scenario) => scenario.name);
const unknown = wanted.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  console.error(
    `no such scenario: ${unknown.join(', ')}; there are ${SCENARIOS.map((s) => s.name).join(', ')}`,
  );
  process.exit(2);
}

const sizes = (values.connections ?? (values.quick ? '1000000' : '5000000')).split(',').map(Number);
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed) || !sizes.every((size) => Number.isSafeInteger(size) && size >= MIN_SIZE)) {
  console.error(`--seed takes a whole number, --connections whole numbers from ${MIN_SIZE} on, by commas`);
  process.exit(2);
}

mkdirSync(values.directory, { recursive: true });
mkdirSync(values.data, { recursive: true });
const directory = mkdtempSync(join(values.directory, 'bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const options: BenchOptions = {
  quick: values.quick,
  program: values.program,
  directory,
  data: values.data,
  connections: sizes,
  seed,
};
const chosen = SCENARIOS.filter((scenario) => wanted.includes(scenario.name));
const about = machine(root);
console.log(about.join('\n'));
const measured: Measured[] = [];
for (const scenario of chosen) {
  console.log(`\n== ${scenario.name}`);
  const results = await scenario.run(options);
  console.log(renderTable(results));
  measured.push({ scenario, results });
}
const results = measured.flatMap((one) => one.results);
const missed = results.filter((result) => result.met === false).length;
const met = results.filter((result) => result.met === true).length;
console.log(`\n${met} bars met, ${missed} missed`);
if (values.write) await writeReport(join(root, 'docs'), { about, command: commandLine(), measured });
process.exit();

/** What was typed, for the report. */
function commandLine(): string {
  const args = process.argv.slice(2).filter((arg) => arg !== '--write');
  return ['npm run bench --', ...args, '--write'].join(' ');
}
