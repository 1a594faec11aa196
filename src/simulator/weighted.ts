import type { Random } from './random.ts';

/** Draws items in proportion to their weights. */
export class Weighted<T> {
  readonly #items: readonly T[];
  readonly #sums: number[] = [];

  constructor(items: readonly T[], weight: (item: T, index: number) => number) {
    this.#items = items;
    let sum = 0;
    for (const [index, item] of items.entries()) {
      sum += weight(item, index);
      this.#sums.push(sum);
    }
  }

  draw(random: Random): T {
    const target = random.unit() * this.#sums.at(-1)!;
    let low = 0;
    let high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sums[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return this.#items[low]!;
  }
}

/** Zipf's law: the item of rank n is drawn 1/n as often as the first. */
export function zipf<T>(items: readonly T[]): Weighted<T> {
  return new Weighted(items, (_, index) => 1 / (index + 1));
}

/** Keys of a record of weights. */
export function weightedKeys(weights: Readonly<Record<string, number>>): Weighted<string> {
  return new Weighted(Object.keys(weights), (key) => weights[key]!);
}
