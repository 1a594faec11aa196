// What `npm test` runs once the sources are built: format and types, the unit tests, then the suites of real
// processes that are there. Cheap checks come first; a failure of one does not keep the others from being counted.
// The last line is `N passed, N failed` (and `, N skipped`); `npm test -- --only unit,faults` selects suites.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ passed: number, failed: number, skipped: number, notRun: string[] }} Count
 * @typedef {{ code: number | null, lines: string[], late: boolean }} Ended
 * @typedef {{ name: string, what: string, minutes: number, entry: string, args: string[],
 *   count: (ended: Ended) => Count }} Suite
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'tracker-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** The pinned Node, whatever the machine has. */
const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const report = join(scratch, 'unit.json');

/** @type {Suite[]} */
const suites = [
  tool('format', 'format and lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '.']),
  tool('types', 'types', 'node_modules/typescript/bin/tsc', ['--noEmit']),
  {
    name: 'unit',
    what: 'unit tests',
    minutes: 30,
    entry: 'node_modules/vitest/vitest.mjs',
    args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    count: countUnit,
  },
  processes('faults', 'random faults against real agents and masters', ['--runs', '1000', '--from', '1']),
  {
    ...processes('mutations', 'broken variants, which random faults must notice', []),
    entry: 'test/faults/mutations.ts',
  },
  processes('kills', 'killing agents and masters at any moment', ['--rounds', '20']),
  processes('backlog', 'days offline, delivered at once', []),
  processes('original', "the original's own program beside ours", []),
];

/**
 * A program whose exit code is its only result: one test.
 * @param {string} name @param {string} what @param {string} entry @param {string[]} args @returns {Suite}
 */
function tool(name, what, entry, args) {
  const count = ({ code }) => ({
    passed: code === 0 ? 1 : 0,
    failed: code === 0 ? 0 : 1,
    skipped: 0,
    notRun: [],
  });
  return { name, what, minutes: 10, entry, args, count };
}

/**
 * A suite of our own that prints its counts.
 * @param {string} name @param {string} what @param {string[]} args @returns {Suite}
 */
function processes(name, what, args) {
  return { name, what, minutes: 60, entry: `test/${name}/main.ts`, args, count: countLines };
}

/**
 * Counts from the last lines of a suite. Without them, or with a bad exit although nothing is said to have failed,
 * something did. `not run: …` lines are passed on.
 * @param {Ended} ended @returns {Count}
 */
function countLines({ code, lines }) {
  const notRun = lines
    .filter((line) => /^not run: /i.test(line))
    .map((line) => line.slice('not run: '.length));
  const counts = lines
    .slice(-20)
    .reverse()
    .map((line) => /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/.exec(line));
  const found = counts.find((match) => match !== null);
  if (!found) return { passed: 0, failed: 1, skipped: 0, notRun };
  const failed = Number(found[2]);
  return {
    passed: Number(found[1]),
    failed: code === 0 ? failed : Math.max(1, failed),
    skipped: Number(found[3] ?? 0),
    notRun,
  };
}

/** @param {Ended} ended @returns {Count} */
function countUnit({ code }) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, notRun: ['unit tests: the runner left no report'] };
  }
  const count = { passed: 0, failed: 0, skipped: 0, notRun: [] };
  for (const file of result.testResults) {
    let failedHere = 0;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') count.passed++;
      else if (test.status === 'failed') failedHere++;
      else {
        count.skipped++;
        count.notRun.push(`test skipped: ${test.fullName}`);
      }
    }
    // A file that could not be loaded has no tests to fail.
    count.failed += file.status === 'failed' ? Math.max(1, failedHere) : failedHere;
  }
  // Errors outside of tests, or no tests at all.
  if (count.failed === 0 && (code !== 0 || count.passed === 0)) count.failed = 1;
  return count;
}

/**
 * Runs a suite; its output goes through as it comes.
 * @param {Suite} suite @returns {Promise<Ended>}
 */
function run(suite) {
  return new Promise((resolve) => {
    const env = { ...process.env };
    if (process.stdout.isTTY && env.NO_COLOR === undefined) env.FORCE_COLOR ??= '1';
    const child = spawn(node, [join(root, suite.entry), ...suite.args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, suite.minutes * 60_000);
    /** Whole lines kept for counting: the last ones, and those that say what was not run. */
    let lines = [];
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map(plain));
      if (lines.length > 2000)
        lines = lines.filter((line, i) => i > lines.length - 1000 || /^not run: /i.test(line));
    });
    const end = (code) => {
      clearTimeout(limit);
      if (rest !== '') lines.push(plain(rest));
      resolve({ code, lines: lines.filter((line) => line !== ''), late });
    };
    child.on('error', (error) => {
      console.log(`${suite.name}: ${error.message}`);
      end(1);
    });
    child.on('close', end);
  });
}

/** @param {string} line */
function plain(line) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the suites begin with one.
  return line.replace(/\u001b\[[0-9;]*m/g, '').trim();
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** @param {string[]} argv @returns {Set<string>} */
function selected(argv) {
  const names = suites.map((suite) => suite.name);
  const usage = `usage: npm test -- [--only ${names.join(',')}]`;
  if (argv.length === 0) return new Set(names);
  const list = argv[0] === '--only' ? argv[1] : /^--only=(.*)$/.exec(argv[0] ?? '')?.[1];
  const rest = argv[0] === '--only' ? argv.slice(2) : argv.slice(1);
  const only = (list ?? '').split(',').filter((name) => name !== '');
  const unknown = only.filter((name) => !names.includes(name));
  if (only.length === 0 || rest.length > 0 || unknown.length > 0) {
    if (unknown.length > 0) console.error(`no such suite: ${unknown.join(', ')}`);
    console.error(usage);
    process.exit(2);
  }
  return new Set(only);
}

const wanted = selected(process.argv.slice(2));
/** @type {Count} */
const total = { passed: 0, failed: 0, skipped: 0, notRun: [] };
const summary = [];
for (const suite of suites) {
  if (!wanted.has(suite.name)) {
    total.notRun.push(`${suite.name} (${suite.what}): not selected`);
    continue;
  }
  if (!existsSync(join(root, suite.entry))) {
    // A missing tool is a broken installation; a missing suite is one that this version does not have.
    const broken = suite.entry.startsWith('node_modules/');
    total.notRun.push(
      `${suite.name} (${suite.what}): there is no ${suite.entry}${broken ? '; run `npm ci`' : ''}`,
    );
    if (broken) total.failed++;
    continue;
  }
  console.log(`\n== ${suite.name}: ${suite.what}`);
  const begun = performance.now();
  const ended = await run(suite);
  const count = suite.count(ended);
  if (ended.late) console.log(`${suite.name}: stopped after ${suite.minutes} minutes`);
  if (ended.late && count.failed === 0) count.failed = 1;
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
  total.notRun.push(...count.notRun);
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  summary.push([
    suite.name,
    `${count.passed} passed, ${count.failed} failed${skipped}`,
    performance.now() - begun,
  ]);
}

console.log('\n== summary');
for (const [name, counts, ms] of summary)
  console.log(`  ${name.padEnd(8)} ${seconds(ms).padStart(9)}  ${counts}`);
for (const line of total.notRun) console.log(`  not run: ${line}`);
console.log(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
);
// Nothing run is nothing shown to work.
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
