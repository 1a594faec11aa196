// The original's own program and ours, side by side, held against the truth of a simulated core to the byte.
// `npm run test:original -- PATH`, or with the path in ORIGINAL_BINARY; without one nothing is run, and that is said.
import { copyFileSync, existsSync } from 'node:fs';
import { endOnSignals, type RunningCommand } from '../support/command.ts';
import { hold } from '../support/hold.ts';
import { Tally } from '../support/tally.ts';
import { waitFor } from '../support/wait.ts';
import { type Counters, difference, holdNotAbove, rowsOf, shownBy } from './counters.ts';
import { arrives, deliversAll, freePort, World, waitUntilSame } from './world.ts';

const OLD = 'old-house';
const NEW = 'new-house';
/** How long traffic flows each time. */
const FLOW_MS = 4000;

const binary = process.argv[2] ?? process.env.ORIGINAL_BINARY ?? '';
if (binary === '') {
  console.log("not run: the original's program beside ours (its path in ORIGINAL_BINARY)");
  console.log('0 passed, 0 failed');
  process.exit(0);
}
if (!existsSync(binary)) {
  console.log(`there is no ${binary}`);
  process.exit(1);
}

/** Ended by Ctrl-C, which is all that the original listens to. */
async function interrupted(command: RunningCommand): Promise<void> {
  const { code } = await command.stop('SIGINT');
  hold(code === 0, () => `the original ended with ${code}`);
}

/** What is open as the core shows it now; the others as they are in `before`. */
function openOver(before: Counters, world: World): Counters {
  const known = new Map(before);
  const open = new Set(world.core.core.ids());
  for (const [id, text] of shownBy(world.core.core)) if (open.has(id)) known.set(id, text);
  return known;
}

/** What closed before `at` as it is in `before`, everything else as the core showed it. */
function shownSince(at: number, before: Counters, world: World): Counters {
  const { connections } = world.core.core.truth;
  const shown = [...shownBy(world.core.core)];
  return new Map(
    shown.map(([id, text]) => {
      const closedAt = connections.get(id)?.closedAt ?? null;
      return [id, closedAt !== null && closedAt <= at ? (before.get(id) ?? text) : text];
    }),
  );
}

async function watched(world: World): Promise<void> {
  await waitFor('somebody who watches the core', () => world.core.server.clients === 1);
}

/** An agent of the original, its deliveries and its file, with our master and our agent. */
async function oldAgent(tally: Tally, world: World): Promise<void> {
  const port = await freePort();
  const [file, copy] = [world.directory.file('agent.db'), world.directory.file('undelivered.db')];
  const old = world.originalAgent(file, OLD, port);
  await watched(world);
  await world.live(FLOW_MS);
  // Its writes may overtake each other, so what has closed may stay below what was shown; open ones come to rest.
  await waitFor('the original to write what is open', () => {
    const written = rowsOf(file, OLD);
    return (
      written.size === shownBy(world.core.core).size && difference(written, openOver(written, world)) === null
    );
  });
  const rows = rowsOf(file, OLD);
  const handover = world.core.core.now;
  copyFileSync(file, copy);
  const master = await world.master(world.directory.file('master.db'), port);
  await tally.test("the original's agent delivers to our master", async () => {
    holdNotAbove(rows, shownBy(world.core.core));
    await arrives(world, master, OLD, rows);
  });
  await interrupted(old);

  const ours = world.agent(file, port);
  await ours.said(new RegExp(`"agent":"${OLD}"`));
  await watched(world);
  await tally.test('our agent takes its file over, and nothing is booked twice', async () => {
    await deliversAll(master, OLD);
    await arrives(world, master, OLD, rows);
  });
  await world.live(FLOW_MS);
  await tally.test('and goes on with the connections that live on', () =>
    arrives(world, master, OLD, shownSince(handover, rows, world)),
  );
  await ours.stop();

  const other = await world.master(world.directory.file('other.db'));
  await tally.test('a file of the original that was never delivered arrives whole', async () => {
    const late = world.agent(copy, other.port);
    await deliversAll(other, OLD);
    await arrives(world, other, OLD, openOver(rows, world));
    await late.stop();
  });
}

/** A master of the original with our agent, and its database with our master. */
async function oldMaster(tally: Tally, world: World): Promise<void> {
  const port = await freePort();
  const [database, journal] = [world.directory.file('master.db'), world.directory.file('agent.db')];
  const old = await world.originalMaster(database, port);
  const agent = world.agent(journal, port, NEW);
  await watched(world);
  await world.live(FLOW_MS);
  await tally.test("our agent delivers to the original's master", async () => {
    await waitUntilSame('everything to arrive', () => rowsOf(database, NEW), shownBy(world.core.core));
  });
  await agent.stop();
  await interrupted(old);

  const master = await world.master(database, port);
  await tally.test("our master opens the original's database", () =>
    arrives(world, master, NEW, shownBy(world.core.core)),
  );
  const again = world.agent(journal, port, NEW);
  await watched(world);
  await world.live(FLOW_MS);
  await tally.test('our agent delivers to it what it holds, and nothing is booked twice', async () => {
    await deliversAll(master, NEW);
    await arrives(world, master, NEW, shownBy(world.core.core));
  });
  await again.stop();
}

endOnSignals();
const tally = new Tally();
for (const [seed, scenario] of [oldAgent, oldMaster].entries()) {
  const world = new World(binary, seed + 1);
  try {
    await world.core.start();
    await scenario(tally, world);
    console.log(`${scenario.name}: ${shownBy(world.core.core).size} connections`);
  } catch (error) {
    await tally.test(scenario.name, () => {
      throw error;
    });
  } finally {
    await world.end();
  }
}
tally.end();
