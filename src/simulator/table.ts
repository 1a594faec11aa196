import type { Entry } from './entry.ts';
import type { Random } from './random.ts';

/**
 * The core's table of open connections. Its order is arbitrary like that of a hash map: a newcomer lands anywhere,
 * the others mostly stay, and growing reorders everything.
 */
export class Table {
  readonly #random: Random;
  readonly #byId = new Map<string, Entry>();
  readonly #order: Entry[] = [];
  #capacity = 32;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#order.length;
  }

  /** In the order of the messages; do not keep or change. */
  get entries(): readonly Entry[] {
    return this.#order;
  }

  get(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  add(entry: Entry): void {
    this.#byId.set(entry.id, entry);
    entry.place = this.#order.length;
    this.#order.push(entry);
    this.#swap(entry.place, this.#random.between(0, entry.place));
    if (this.#order.length > this.#capacity) this.#grow();
  }

  remove(entry: Entry): void {
    if (!this.#byId.delete(entry.id)) return;
    this.#swap(entry.place, this.#order.length - 1);
    this.#order.pop();
    entry.place = -1;
  }

  #grow(): void {
    this.#capacity *= 2;
    for (let i = this.#order.length - 1; i > 0; i--) this.#swap(i, this.#random.between(0, i));
  }

  #swap(a: number, b: number): void {
    const first = this.#order[a]!;
    const second = this.#order[b]!;
    this.#order[a] = second;
    this.#order[b] = first;
    first.place = b;
    second.place = a;
  }
}
