import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkBooks } from '../support/books.ts';
import { RunningCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { originalRow, writeOriginal } from '../support/original-database.ts';
import { sleep, waitFor } from '../support/wait.ts';

const ROWS = 15_000;
const KILLS = 3;

let directory: TestDirectory;
beforeEach(() => {
  directory = new TestDirectory();
});
afterEach(() => directory.remove());

function left(): number {
  const db = new Database(directory.file('master.db'), { readonly: true });
  try {
    return (db.prepare('SELECT count(*) AS n FROM connections WHERE imported = 0').get() as { n: number }).n;
  } finally {
    db.close();
  }
}

it(`an import that is killed ${KILLS} times goes on where it was, and books every row once`, async () => {
  writeOriginal(
    directory.file('master.db'),
    Array.from({ length: ROWS }, (_, i) => originalRow(`c${i}`, { agent_id: i % 5 === 0 ? null : 'router' })),
  );
  const args = ['--database', 'master.db', '--listen-host', '127.0.0.1', '--listen-port', '0'];
  const start = () => new RunningCommand(['master', ...args], { program: SOURCES, cwd: directory.path });
  let before = ROWS;
  for (let kill = 0; kill < KILLS; kill++) {
    const master = start();
    // In the middle: something was imported, in this life too, unless it is done by now.
    await waitFor('rows imported', () => left() < before, { everyMs: 5 });
    await sleep(Math.random() * 60);
    expect((await master.kill()).signal).toBe('SIGKILL');
    const now = left();
    expect(now).toBeLessThan(before);
    before = now;
    if (now === 0) break;
  }
  const master = start();
  await waitFor('the end of the import', () => left() === 0);
  expect((await master.stop()).code).toBe(0);
  const db = new Database(directory.file('master.db'));
  const records = checkBooks(db);
  const sum = records.reduce((total, { down }) => total + down, 0);
  const agents = db.prepare('SELECT agent_id AS agent, records FROM agents ORDER BY agent_id').all();
  db.close();
  expect([records.length, sum]).toEqual([ROWS, ROWS * 100]);
  expect(agents).toEqual([
    { agent: 'router', records: (ROWS * 4) / 5 },
    { agent: 'unknown', records: ROWS / 5 },
  ]);
});
