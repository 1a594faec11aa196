/**
 * A queue that holds the newest `capacity` items: adding to a full one lets go of the oldest, and counts it. Adding
 * and taking cost the same however full it is.
 */
export class DropOldest<T> {
  readonly #slots: (T | undefined)[];
  #first = 0;
  #length = 0;
  #dropped = 0;

  constructor(capacity: number) {
    this.#slots = new Array(capacity).fill(undefined);
  }

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    const capacity = this.#slots.length;
    if (this.#length === capacity) {
      this.shift();
      this.#dropped++;
    }
    this.#slots[(this.#first + this.#length) % capacity] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#first];
    this.#slots[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#slots.length;
    this.#length--;
    return item;
  }

  /** How many were let go since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#first = 0;
    this.#length = 0;
    this.#dropped = 0;
  }
}
