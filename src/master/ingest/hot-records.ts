import type { RecordState } from './record.ts';

/**
 * Records of one generation: two of them are kept, so at most twice as many. About 500 bytes each, and a connection
 * that moves comes back with every batch of its agent.
 */
const GENERATION = 16_384;

type ByAgent = Map<string, Map<string, RecordState>>;

/**
 * Records that lately changed or were asked for, as they stand in the file. They save the lookup, which is a quarter
 * of what a sample costs. In a transaction they run ahead of the file; so one that fails forgets them all.
 */
export class HotRecords {
  readonly #generation: number;
  #young: ByAgent = new Map();
  #old: ByAgent = new Map();
  #size = 0;

  constructor(generation = GENERATION) {
    this.#generation = generation;
  }

  get(agentId: string, id: string): RecordState | undefined {
    const young = this.#young.get(agentId)?.get(id);
    if (young !== undefined) return young;
    const record = this.#old.get(agentId)?.get(id);
    if (record !== undefined) this.put(agentId, id, record);
    return record;
  }

  put(agentId: string, id: string, record: RecordState): void {
    let records = this.#young.get(agentId);
    if (records === undefined) {
      records = new Map();
      this.#young.set(agentId, records);
    }
    records.set(id, record);
    this.#size++;
  }

  /** Forgets one, which is in the file no longer. Only between transactions. */
  delete(agentId: string, id: string): void {
    if (this.#young.get(agentId)?.delete(id) === true) this.#size--;
    this.#old.get(agentId)?.delete(id);
  }

  /**
   * Lets go of the older generation when the younger one is full. Only between transactions: what a transaction has
   * changed stands in no file yet.
   */
  age(): void {
    if (this.#size < this.#generation) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#size = 0;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#size = 0;
  }
}
