import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { JOURNAL } from './agent/journal.ts';
import { AGENT } from './agent/scenario.ts';
import { machine } from './machine.ts';
import { INGEST } from './master/scenario.ts';
import { renderTable, writeReport } from './report.ts';
import type { Result, Scenario } from './scenario.ts';

/**
 * Measures the bars that this program promises, prints a table, and with `--write` keeps it in docs/benchmarks.md.
 * Nothing here fails by the clock: a bar that is missed is shown as missed.
 *
 * `npm run bench -- [--only agent,journal,master] [--quick] [--write] [--program FILE] [--directory DIR]`
 */
const SCENARIOS: readonly Scenario[] = [AGENT, JOURNAL, INGEST];
const root = join(import.meta.dirname, '..');

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    /** Another build, to be compared with this one. */
    program: { type: 'string', default: join(root, 'bin', 'mihomo-connections-tracker.cjs') },
    /** Where the databases are written; it must be a real disk. */
    directory: { type: 'string', default: join(root, 'node_modules', '.cache') },
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

mkdirSync(values.directory, { recursive: true });
const directory = mkdtempSync(join(values.directory, 'bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const chosen = SCENARIOS.filter((scenario) => wanted.includes(scenario.name));
const about = machine(root);
console.log(about.join('\n'));
const results: Result[] = [];
for (const scenario of chosen) {
  console.log(`\n== ${scenario.name}`);
  const found = await scenario.run({ quick: values.quick, program: values.program, directory });
  console.log(renderTable(found));
  results.push(...found);
}
const missed = results.filter((result) => result.met === false).length;
const met = results.filter((result) => result.met === true).length;
console.log(`\n${met} bars met, ${missed} missed`);
if (values.write) writeReport(join(root, 'docs', 'benchmarks.md'), { about, results, scenarios: chosen });
process.exit();
