import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { factsOf, lotByNumber } from './lots-by-number.ts';

const KILLS = 12;
const PROGRAM = join(import.meta.dirname, 'flush-forever.ts');

/** Runs until some lots are through, and a random moment longer; returns the newest lot that it confirmed. */
async function runAndKill(directory: string, lots: number): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let newest = 0;
  let seen = 0;
  let due = false;
  child.stdout.on('data', (data: Buffer) => {
    const lines = data.toString().trim().split('\n');
    newest = Number(lines.at(-1));
    seen += lines.length;
    if (seen < lots || due) return;
    due = true;
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 60);
  });
  const [, signal] = await ended;
  expect(signal).toBe('SIGKILL');
  return newest;
}

it(`loses and doubles nothing when killed ${KILLS} times at random moments`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kill-'));
  try {
    let confirmed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      confirmed = Math.max(confirmed, await runAndKill(directory, 1 + Math.floor(Math.random() * 5)));
    }
    const store = new EmbeddedFactStore({ path: join(directory, 'f.duckdb') });
    await store.start();
    await store.check();
    const lots = (await store.lots(100_000)).reverse();
    const newest = lots.length;
    expect(newest).toBeGreaterThanOrEqual(confirmed);
    expect(lots).toEqual(
      Array.from({ length: newest }, (_, index) => {
        const { lot, token } = lotByNumber(index + 1);
        return { lot, token, state: 'ok' };
      }),
    );
    const text = 'SELECT lot, count(*) AS facts, sum(down) AS d FROM minute GROUP BY lot ORDER BY lot';
    const stored = await store.read((run) => run({ text, values: [] }));
    expect(stored.map((row) => [row.lot, Number(row.facts), Number(row.d)])).toEqual(
      lots.map(({ lot }) => [lot, factsOf(lot).length, lotByNumber(lot).download]),
    );
    const hosts = { text: 'SELECT count(*) - count(DISTINCT host) AS doubles FROM host', values: [] };
    expect(await store.read((run) => run(hosts))).toEqual([{ doubles: 0n }]);
    await store.stop();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
