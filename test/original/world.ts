import { createServer } from 'node:net';
import { steadyLoad } from '../../src/simulator/profiles.ts';
import { startAgent } from '../support/agent.ts';
import { RunningCommand } from '../support/command.ts';
import { TestCore } from '../support/core.ts';
import { TestDirectory } from '../support/directory.ts';
import { hold } from '../support/hold.ts';
import { MasterProcess } from '../support/master.ts';
import { sleep, waitFor } from '../support/wait.ts';
import { type Counters, difference, sumOf } from './counters.ts';

/** Short lives, hops and DNS over a proxy, so that overlay and closes are among what is delivered. */
const PROFILE = {
  ...steadyLoad(40),
  steadyLifetimeMs: 4000,
  arrivals: 8,
  invisibleShare: 0.2,
  hopShare: 0.2,
  lateShare: 0.02,
  dnsPerSecond: 1,
};

/** A core, and programs of both kinds around it; all end with `end`. */
export class World {
  readonly directory = new TestDirectory();
  readonly core: TestCore;
  readonly #binary: string;
  readonly #commands: RunningCommand[] = [];

  constructor(binary: string, seed: number) {
    this.#binary = binary;
    this.core = new TestCore({ core: { seed, startAt: Date.now(), profile: PROFILE } });
  }

  /** The original as an agent; it keeps delivering every second. */
  originalAgent(journal: string, agentId: string, masterPort: number): RunningCommand {
    return this.#keep(
      new RunningCommand(
        [
          'agent',
          ...[
            '--mihomo-host',
            '127.0.0.1',
            '--mihomo-port',
            `${this.core.port}`,
            '--local-database',
            journal,
          ],
          ...[
            '--agent-id',
            agentId,
            '--master-url',
            `http://127.0.0.1:${masterPort}`,
            '--sync-interval',
            '1',
          ],
        ],
        { binary: this.#binary, cwd: this.directory.path },
      ),
    );
  }

  /** The original as a master; resolves when it answers. */
  async originalMaster(database: string, port: number): Promise<RunningCommand> {
    const master = this.#keep(
      new RunningCommand(
        ['master', '--database', database, '--listen-host', '127.0.0.1', '--listen-port', `${port}`],
        { binary: this.#binary, cwd: this.directory.path },
      ),
    );
    await waitFor('a master of the original', async () => {
      return (await fetch(`http://127.0.0.1:${port}/api/v1/health`)).ok;
    });
    return master;
  }

  async master(database: string, port = 0): Promise<MasterProcess> {
    const command = this.#keep(MasterProcess.launch({ database, port }));
    const master = await MasterProcess.of(command);
    await waitFor('the end of the import', async () => {
      const ready = await master.data<{ components: Record<string, { values?: { import_left?: number } }> }>(
        '/ready',
      );
      return ready.components.ingest?.values?.import_left === 0;
    });
    return master;
  }

  agent(journal: string, masterPort: number, agentId?: string): RunningCommand {
    const masterUrl = `http://127.0.0.1:${masterPort}`;
    return this.#keep(startAgent({ journal, core: this.core.port, masterUrl, ...(agentId && { agentId }) }));
  }

  /** Lets traffic flow for so long; afterwards all messages say the same. */
  async live(ms: number): Promise<void> {
    this.core.begin();
    await sleep(ms);
    this.core.rest();
    // One more message, so that what is shown is what is true.
    await sleep(500);
  }

  async end(): Promise<void> {
    for (const command of this.#commands) await command.kill();
    await this.core.stop();
    this.directory.remove();
  }

  #keep(command: RunningCommand): RunningCommand {
    this.#commands.push(command);
    return command;
  }
}

/** A port of 127.0.0.1 that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What our master lists of an agent. */
async function listed(master: MasterProcess, agentId: string): Promise<Counters> {
  const rows = await master.data<{ id: string; download: number; upload: number }[]>(
    `/connections?limit=1000&agent_id=${agentId}`,
  );
  return new Map(rows.map(({ id, download, upload }) => [id, `${download}/${upload}`]));
}

interface AgentRow {
  agent_id: string;
  protocol: number;
  backlog: { rows: number } | null;
  last_sync: string;
}

/** Waits until our agent has nothing left to deliver, by our wire. */
export async function deliversAll(master: MasterProcess, agentId: string): Promise<void> {
  const began = Date.now();
  await waitFor('an agent with nothing left to deliver', async () => {
    const agents = await master.data<AgentRow[]>('/agents');
    const agent = agents.find((one) => one.agent_id === agentId);
    return agent?.protocol === 2 && agent.backlog?.rows === 0 && Date.parse(agent.last_sync) > began;
  });
}

/** Waits until our master lists exactly these counters, and holds its sums to be theirs. */
export async function arrives(
  world: World,
  master: MasterProcess,
  agentId: string,
  expected: Counters,
): Promise<void> {
  await waitUntilSame('everything to arrive', () => listed(master, agentId), expected);
  const arrived = Date.now();
  const sums = await waitFor('sums of what arrived', async () => {
    const { body } = await master.get<{ download: number; upload: number }>(
      `/stats?type=summary&agent_id=${agentId}`,
    );
    return Number(body.meta?.fresh_to) >= arrived ? body.data : null;
  });
  const right = sumOf(world.core.core, expected);
  hold(
    sums.download === right.download && sums.upload === right.upload,
    () => `summary ${sums.download}/${sums.upload}, expected ${right.download}/${right.upload}`,
  );
}

/** The difference is told when time is up. */
export async function waitUntilSame(
  what: string,
  found: () => Promise<Counters> | Counters,
  expected: Counters,
): Promise<void> {
  await waitFor(what, async () => {
    const wrong = difference(await found(), expected);
    if (wrong !== null) throw new Error(wrong);
    return true;
  });
}
