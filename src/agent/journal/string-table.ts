/** Strings of a request, each once; rows name them by index. */
export class StringTable {
  readonly list: string[] = [];
  readonly #indexes = new Map<string, number>();

  index(text: string): number {
    let index = this.#indexes.get(text);
    if (index === undefined) {
      index = this.list.push(text) - 1;
      this.#indexes.set(text, index);
    }
    return index;
  }
}
