import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspectRecords } from '../../src/master/backup/records-files.ts';
import type { Random } from '../../src/simulator/random.ts';
import { type Ended, type RunningCommand, runCommand } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { hold } from '../support/hold.ts';
import { MasterProcess } from '../support/master.ts';
import { sleep } from '../support/wait.ts';
import { Household, QUIET, storePaths } from './household.ts';

const KILL_AT = pathToFileURL(join(import.meta.dirname, 'kill-at.ts')).href;
/** A process that never comes to its point ends by itself; one that hangs has failed. */
const PATIENCE_MS = 60_000;

export const WORKS = ['backup', 'backup beside a master', 'restore', 'compact'] as const;
export type Work = (typeof WORKS)[number];

/** What a work does when nobody kills it. */
interface Measure {
  /** Things done to files by the command's process, and by each of its children. */
  main: number;
  children: number[];
  ms: number;
}

/**
 * What two stores hold, as text that is the same for the same content. The half hours are made of the minutes by any
 * master that runs for a while: they may be empty, or sum up to the same.
 */
async function contentOf(records: string, facts: string): Promise<string> {
  const { connections, download, upload, lots, newest, storeId } = await inspectRecords(records, QUIET);
  const inFacts = await storePaths('').files.inspect(facts, QUIET);
  const { minute, minute_aside, half_hour } = inFacts.tables;
  hold(
    half_hour?.rows === '0' || half_hour?.download === minute?.download,
    () => `half hours ${JSON.stringify(half_hour)}, minutes ${JSON.stringify(minute)}`,
  );
  return JSON.stringify({
    records: { storeId, connections, download, upload, lots, newest },
    facts: { lots: inFacts.lots, newest: inFacts.newest, minute, minute_aside },
  });
}

/**
 * Kills backups, restores and compactions of a master's real files, and holds that nothing is lost, nothing is half done,
 * and the same command, or the next start of the master, goes on from there.
 */
export class Kills {
  readonly #directory = new TestDirectory();
  readonly #template = this.#directory.file('template');
  readonly #measures = new Map<Work, Measure>();
  readonly #random: Random;
  #backup = '';
  #content = '';
  #older = '';
  #round = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A master's files as they are when it is killed, with their logs, and an older backup of them. */
  async prepare(): Promise<void> {
    const house = new Household();
    try {
      await house.start();
      await house.minutes(5);
      const backup = await house.backup();
      await house.minutes(5);
      await house.settle();
      cpSync(house.directory.path, this.#template, {
        recursive: true,
        filter: (path) => !/\.lock$|home\.db|office\.db/.test(path),
      });
      this.#backup = join('backup', basename(backup));
    } finally {
      await house.close();
    }
    const place = this.#place();
    this.#content = await this.#look(place);
    const older = join(place, this.#backup);
    this.#older = await contentOf(join(older, 'records.db'), join(older, 'facts.duckdb'));
    hold(this.#content !== this.#older, () => 'the backup is no older than the stores');
    for (const work of WORKS) await this.#measure(work);
  }

  close(): void {
    this.#directory.remove();
  }

  /** Kills one work somewhere, and looks at what is left. Says where it was killed. */
  async round(work: Work): Promise<string> {
    const measure = this.#measures.get(work)!;
    const place = this.#place();
    const order = this.#draw(measure);
    const ended = await this.#run(work, place, order);
    hold(ended.signal === 'SIGKILL' || ended.code !== null, () => `${work} hangs after "${order}"`);
    // The command outlives a child, and says that it could not do it. Not every child does all that any of them does.
    const died = existsSync(`${killFile(place)}.died`);
    hold(!died || ended.code !== 0, () => `${work} says that it succeeded, and was killed at "${order}"`);
    const said = `${order} → ${ended.signal ?? `exit ${ended.code}`}`;
    try {
      await this.#check(work, place);
    } catch (error) {
      throw new Error(`killed at "${said}": ${(error as Error).message}`);
    }
    rmSync(place, { recursive: true, force: true });
    return said;
  }

  #draw({ main, children, ms }: Measure): string {
    const when = this.#random.pick(['before', 'after'] as const);
    const kind = this.#random.between(1, 10);
    if (kind <= 2) return `main ${this.#random.between(0, ms)} ms`;
    const most = Math.max(...children, 0);
    if (kind <= 4 && most > 0) return `child ${this.#random.between(1, most)} ${when}`;
    return `main ${this.#random.between(1, main)} ${when}`;
  }

  async #check(work: Work, place: string): Promise<void> {
    const same = async (expected: string, what: string) => {
      const found = await this.#look(place);
      hold(found === expected, () => `${what}:\n${found}\n${expected}`);
    };
    if (work === 'restore') {
      await this.#afterRestore(place);
    } else {
      await same(this.#content, 'the stores are not what they were');
      await this.#again(work === 'compact' ? 'compact' : work, place);
      await same(this.#content, 'the stores are not what they were after the second run');
      if (work !== 'compact') await this.#newestBackupIsWhole(place);
    }
    const left = [place, join(place, 'backup')].flatMap((path) =>
      readdirSync(path).filter((name) => /\.part|\.restore|\.new$/.test(name)),
    );
    hold(left.length === 0, () => `left over: ${left.join(', ')}`);
  }

  /** A master's next start, or the same command again, finds either everything as it was or everything restored. */
  async #afterRestore(place: string): Promise<void> {
    if (this.#random.between(0, 1) === 0) {
      const master = await this.#startMaster(place);
      await master.command.stop();
      const found = await this.#look(place);
      hold(found === this.#content || found === this.#older, () => `neither nor: ${found}`);
    }
    await this.#again('restore', place);
    const found = await this.#look(place);
    hold(found === this.#older, () => `not what was restored: ${found}`);
    const kept = readdirSync(place)
      .filter((name) => /^master\.db\.before-restore-[^.-]+-[^.]*Z(-\d+)?$/.test(name))
      .map((name) => name.slice('master.db'.length));
    const contents = await Promise.all(
      kept.map((ending) =>
        contentOf(join(place, `master.db${ending}`), join(place, `master.facts.duckdb${ending}`)),
      ),
    );
    hold(contents.includes(this.#content), () => `what was there before is nowhere: ${kept.join(', ')}`);
  }

  async #newestBackupIsWhole(place: string): Promise<void> {
    const newest = readdirSync(join(place, 'backup'))
      .filter((name) => name.startsWith('backup-'))
      .sort()
      .at(-1)!;
    hold(newest !== basename(this.#backup), () => 'there is no new backup');
    const other = join(place, 'other');
    mkdirSync(other);
    await this.#command(['restore', join(place, 'backup', newest), '--database', join(other, 'master.db')]);
    const found = await this.#look(other);
    hold(found === this.#content, () => `the backup holds something else: ${found}`);
    rmSync(other, { recursive: true });
  }

  async #again(work: Work, place: string): Promise<void> {
    const ended = await this.#run(work, place, null);
    hold(
      ended.code === 0,
      () => `the second ${work} ended with ${ended.code ?? ended.signal}: ${ended.stderr}`,
    );
  }

  /** Runs a work once more while a child of a process that was killed may still be ending. */
  async #run(work: Work, place: string, order: string | null): Promise<Ended & { stderr: string }> {
    for (let tries = 0; ; tries++) {
      const ended =
        work === 'backup beside a master'
          ? await this.#beside(place, order)
          : await this.#alone(work, place, order);
      if (order !== null || tries >= 20 || !/is held by|in use/.test(ended.stderr)) return ended;
      await sleep(250);
    }
  }

  async #alone(work: Work, place: string, order: string | null): Promise<Ended & { stderr: string }> {
    const database = join(place, 'master.db');
    const words = work === 'restore' ? ['restore', join(place, this.#backup)] : [work];
    return await runCommand([...words, '--database', database], {
      ...this.#options(place, order),
      timeoutMs: PATIENCE_MS,
    });
  }

  /** A master is started, and killed while it makes a backup that a client asked for; or it ends in order. */
  async #beside(place: string, order: string | null): Promise<Ended & { stderr: string }> {
    const master = await this.#startMaster(place);
    if (order !== null) writeFileSync(killFile(place), `${order}\n`);
    const asked = runCommand(['backup', '--url', master.url], { timeoutMs: PATIENCE_MS });
    const first = await Promise.race([asked, master.command.exited]);
    const client = await asked;
    if (order === null || order === 'count') {
      const counts = order === null ? '' : readFileSync(killFile(place), 'utf8');
      const ended = await master.command.stop();
      if (order !== null) writeFileSync(killFile(place), counts);
      return { ...(client.code === 0 ? ended : client), stderr: client.stderr };
    }
    rmSync(killFile(place), { force: true });
    // One that was not killed has answered its client.
    await master.command.kill();
    return { code: first.code, signal: first.signal, stderr: client.stderr };
  }

  async #startMaster(place: string): Promise<MasterProcess> {
    for (let tries = 0; ; tries++) {
      const command: RunningCommand = MasterProcess.launch({
        database: join(place, 'master.db'),
        ...this.#options(place, null),
      });
      try {
        return await MasterProcess.of(command);
      } catch (error) {
        await command.kill();
        if (tries >= 20 || !/is held by|in use/.test(command.stderr)) throw error;
        await sleep(250);
      }
    }
  }

  async #command(args: string[]): Promise<void> {
    const { code, stderr } = await runCommand(args, { timeoutMs: PATIENCE_MS });
    hold(code === 0, () => `${args[0]}: exit ${code}: ${stderr}`);
  }

  #options(place: string, order: string | null) {
    const file = killFile(place);
    rmSync(file, { force: true });
    if (order !== null) writeFileSync(file, `${order}\n`);
    return { nodeArgs: ['--import', KILL_AT], env: { KILL_FILE: file } };
  }

  async #measure(work: Work): Promise<void> {
    const place = this.#place();
    const from = performance.now();
    const ended = await this.#run(work, place, 'count');
    const ms = Math.round(performance.now() - from);
    hold(ended.code === 0, () => `${work} fails by itself: ${ended.stderr}`);
    const lines = readFileSync(killFile(place), 'utf8').split('\n');
    const of = (who: string) => {
      const processes = Map.groupBy(
        lines.filter((line) => line.startsWith(`${who} `)),
        (line) => line,
      );
      return [...processes.values()].map((things) => things.length);
    };
    this.#measures.set(work, { main: Math.max(1, ...of('main')), children: of('child'), ms });
    rmSync(place, { recursive: true, force: true });
  }

  async #look(place: string): Promise<string> {
    // Looked at on a copy, for a look may join a log to its file.
    const copy = this.#directory.file(`look-${this.#round++}`);
    cpSync(place, copy, { recursive: true, filter: (path) => !path.startsWith(join(place, 'backup')) });
    try {
      const { records, facts } = storePaths(copy);
      return await contentOf(records, facts);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }

  #place(): string {
    const place = this.#directory.file(`place-${this.#round++}`);
    cpSync(this.#template, place, { recursive: true });
    return place;
  }
}

function killFile(place: string): string {
  return `${place}.kill`;
}
