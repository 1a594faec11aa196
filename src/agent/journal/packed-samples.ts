import type { BookEntry } from '../books/entry.ts';

/** One connection's counters in the running minute. */
export interface PackedSample {
  key: number;
  download: number;
  upload: number;
  recoveredDownload: number;
  recoveredUpload: number;
}

const VERSION = 1;
/** Key with a bit, and four counters of up to 53 bits, seven bits a byte. */
const LONGEST = 5 * 8;

/**
 * The counters of the connections that moved in the running minute, as one value: about 10 bytes a connection where a row
 * of its own takes 40, a search in the tree, and seven parameters. Written with every flush, read after a crash.
 */
export class SamplePacker {
  #bytes = Buffer.alloc(4096);
  #length = 0;

  begin(): void {
    this.#bytes[0] = VERSION;
    this.#length = 1;
  }

  add(key: number, { counter, recovered }: BookEntry): void {
    if (this.#length + LONGEST > this.#bytes.length) this.#grow();
    const plain = recovered.download === 0 && recovered.upload === 0;
    this.#number(key * 2 + (plain ? 0 : 1));
    this.#number(counter.download);
    this.#number(counter.upload);
    if (plain) return;
    this.#number(recovered.download);
    this.#number(recovered.upload);
  }

  /** What was added; valid until the next `begin`. */
  end(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  get empty(): boolean {
    return this.#length === 1;
  }

  #grow(): void {
    const larger = Buffer.alloc(this.#bytes.length * 2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #number(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    // Bit operations know 32 bits only.
    while (rest > 0x7fff_ffff) {
      bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.#length++] = rest;
  }
}

/** Throws when the bytes are not what a packer wrote. */
export function* unpackSamples(bytes: Uint8Array): Generator<PackedSample> {
  if (bytes[0] !== VERSION) throw new Error(`packed samples of an unknown kind (${bytes[0]})`);
  let at = 1;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('packed samples are cut off');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const head = number();
    const download = number();
    const upload = number();
    const plain = head % 2 === 0;
    yield {
      key: Math.floor(head / 2),
      download,
      upload,
      recoveredDownload: plain ? 0 : number(),
      recoveredUpload: plain ? 0 : number(),
    };
  }
}
