import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { check } from './check.ts';
import { FAULTS, type Fault, Schedule } from './schedule.ts';
import { SEEDS } from './seeds.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    from: { type: 'string' },
    faults: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    /** Every so manieth seed: a process of several takes its share. */
    stride: { type: 'string', default: '1' },
    'stop-after': { type: 'string', default: '5' },
    'no-seeds': { type: 'boolean', default: false },
  },
});

interface Case {
  seed: number;
  faults?: readonly Fault[] | undefined;
  found?: string;
}

interface Tally {
  passed: number;
  failed: number;
  statements: number;
}

const only = values.faults?.split(',').map((name) => {
  if (!(FAULTS as readonly string[]).includes(name))
    throw new Error(`no fault "${name}": ${FAULTS.join(', ')}`);
  return name as Fault;
});
const single = values.seed !== undefined;
const runs = single ? 1 : Number(values.runs);
const from = Number(values.seed ?? values.from ?? Math.floor(Math.random() * 2 ** 31));
const jobs = single ? 1 : Math.min(Number(values.jobs), runs);

async function runOne({ seed, faults, found }: Case): Promise<number> {
  const schedule = new Schedule(faults === undefined ? { seed } : { seed, faults });
  try {
    await schedule.run();
    return await check(schedule);
  } catch (error) {
    console.log(`FAILED seed ${seed} [${[...schedule.faults].join(', ')}]`);
    console.log(`  ${single ? (error as Error).stack : (error as Error).message}`);
    if (found !== undefined) console.log(`  it once found: ${found}`);
    const options = faults === undefined ? '' : ` --faults ${faults.join(',')}`;
    console.log(`  replay: npm run test:faults -- --seed ${seed}${options}`);
    return -1;
  } finally {
    await schedule.close();
  }
}

async function runHere(): Promise<Tally> {
  const named: Case[] = values['no-seeds'] || single || values.stride !== '1' ? [] : [...SEEDS];
  const drawn = Array.from(
    { length: runs },
    (_, i): Case => ({ seed: from + i * Number(values.stride), faults: only }),
  );
  const tally = { passed: 0, failed: 0, statements: 0 };
  for (const one of [...named, ...drawn]) {
    const statements = await runOne(one);
    if (statements < 0) tally.failed++;
    else tally.passed++;
    tally.statements += Math.max(0, statements);
    if (tally.failed >= Number(values['stop-after'])) break;
  }
  return tally;
}

/** One process for each job, each with its share of the seeds. */
function runShare(job: number): Promise<Tally> {
  const share = Math.ceil((runs - job) / jobs);
  const args = [
    '--jobs',
    '1',
    '--stride',
    String(jobs),
    '--from',
    String(from + job),
    '--runs',
    String(share),
  ];
  if (only !== undefined) args.push('--faults', only.join(','));
  args.push('--stop-after', values['stop-after'], '--no-seeds');
  const child = spawn(process.execPath, [import.meta.filename, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const tally = { passed: 0, failed: 0, statements: 0 };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const counts = /^(\d+) passed, (\d+) failed$/.exec(line);
      const held = /^faults: (\d+) statements held/.exec(line);
      if (counts !== null) Object.assign(tally, { passed: Number(counts[1]), failed: Number(counts[2]) });
      else if (held !== null) tally.statements = Number(held[1]);
      else console.log(line);
    }
  });
  return new Promise((done) =>
    child.on('close', (code) => {
      // A share that ended without a word is a failure, however many schedules of it went well.
      if (code !== 0 && tally.failed === 0) tally.failed = 1;
      done(tally);
    }),
  );
}

async function runAll(): Promise<Tally> {
  if (jobs <= 1) return await runHere();
  const total = { passed: 0, failed: 0, statements: 0 };
  if (!values['no-seeds']) {
    for (const one of SEEDS) {
      const statements = await runOne(one);
      if (statements < 0) total.failed++;
      else total.passed++;
    }
  }
  for (const tally of await Promise.all(Array.from({ length: jobs }, (_, job) => runShare(job)))) {
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.statements += tally.statements;
  }
  return total;
}

const began = Date.now();
if (values.stride === '1') console.log(`faults: ${runs} schedules from seed ${from}`);
const { passed, failed, statements } = await runAll();
console.log(`faults: ${statements} statements held, ${((Date.now() - began) / 1000).toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
