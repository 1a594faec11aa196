import type { AgentGap, GapSource } from '../query/gap-state.ts';
import type { Records } from './query.ts';

/** Gaps as statistics ask for them. */
export class RecordsGapSource implements GapSource {
  readonly #records: Pick<Records, 'agents' | 'gaps'>;

  constructor(records: Pick<Records, 'agents' | 'gaps'>) {
    this.#records = records;
  }

  async agents(): Promise<string[]> {
    return (await this.#records.agents()).map((agent) => agent.agentId);
  }

  async gaps(from: number, to: number): Promise<AgentGap[]> {
    return (await this.#records.gaps(from, to)).map((gap) => ({
      agent: gap.agentId,
      from: gap.from,
      to: gap.to,
    }));
  }
}
