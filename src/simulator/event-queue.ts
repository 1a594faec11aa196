interface Event {
  at: number;
  /** Order of scheduling: events of one instant run in the order they were planned, so runs repeat exactly. */
  order: number;
  action: () => void;
}

/** What will happen, soonest first (a binary heap); times are simulated epoch milliseconds. */
export class EventQueue {
  #heap: Event[] = [];
  #scheduled = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Time of the next event, `Infinity` when there is none. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Plans an event; one that lies at infinity never happens and costs nothing. */
  schedule(at: number, action: () => void): void {
    if (at === Number.POSITIVE_INFINITY) return;
    const event = { at, order: this.#scheduled++, action };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  take(): (() => void) | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) this.#sink(last);
    return first.action;
  }

  clear(): void {
    this.#heap = [];
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, event)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = event;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
