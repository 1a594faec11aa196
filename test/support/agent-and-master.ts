import { SimulatedCore } from '../../src/simulator/core.ts';
import type { CoreFields } from '../../src/simulator/core-fields.ts';
import { checkBooks } from './books.ts';
import { DirectMaster } from './direct-master.ts';
import { TestDirectory } from './directory.ts';
import { JournalAgent } from './journal-agent.ts';

const START = Date.UTC(2026, 6, 1, 12);

/** A core, an agent's journal and a master's records, with a clock that the test turns. */
export class AgentAndMaster {
  readonly directory = new TestDirectory();
  readonly core = new SimulatedCore({ startAt: START, profile: null });
  readonly master: DirectMaster;
  /** True time, epoch ms; the master's clock. */
  now = START;
  /** What the agent's clock is ahead. */
  skewMs = 0;
  agent: JournalAgent;
  readonly #agentId: string | undefined;

  constructor(options: { agentId?: string | undefined } = { agentId: 'router' }) {
    this.#agentId = options.agentId;
    this.master = new DirectMaster(this.directory.file('master.db'), () => this.now);
    this.agent = this.#start();
  }

  #start(): JournalAgent {
    return new JournalAgent({
      path: this.directory.file('agent.db'),
      ...(this.#agentId === undefined ? {} : { agentId: this.#agentId }),
      core: this.core,
      transport: this.master.transport(),
      wall: () => this.now + this.skewMs,
    });
  }

  /** The agent's process ends without a word, and another one begins. */
  restart(): void {
    this.agent.close();
    this.agent = this.#start();
  }

  /** Time passes; nobody looks. */
  pass(ms: number): void {
    this.now += ms;
    this.core.advance(ms);
  }

  /** Time passes, and one snapshot is seen at its end. */
  watch(ms = 1000): void {
    this.pass(ms);
    this.agent.look();
  }

  /** Opens so many connections of `download` bytes each; returns their ids. */
  open(count: number, download: number, fields: Partial<CoreFields> = {}): string[] {
    return Array.from({ length: count }, () =>
      this.core.open({ type: 'HTTPS', host: 'www.example.com', ...fields }, { download }),
    );
  }

  /** Download of every record of the master, by id, after a check of its books. */
  booked(): Map<string, number> {
    return new Map(checkBooks(this.master.merger.db).map(({ id, down }) => [id, down]));
  }

  /** Sums of the facts of a kind: 0 counted, 1 overlay, 2 unattributed. */
  sum(kind: 0 | 1 | 2): { download: number; upload: number } {
    return this.master.merger.db
      .prepare('SELECT total(down) AS download, total(up) AS upload FROM pending_facts WHERE kind = ?')
      .get(kind) as { download: number; upload: number };
  }

  close(): void {
    this.agent.close();
    this.master.close();
    this.directory.remove();
  }
}
