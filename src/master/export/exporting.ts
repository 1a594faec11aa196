import { Readable } from 'node:stream';
import { CodedError } from '../../common/errors.ts';

export interface ExportingLimits {
  readonly timeMs: number;
  readonly idleMs: number;
}

/**
 * One export from its beginning to its end, which comes when its reader leaves, takes nothing for too long, or has all;
 * or when its time is over. Then the signal is aborted, and everything that it holds is let go, once.
 */
export class Exporting {
  readonly #controller = new AbortController();
  readonly #limits: ExportingLimits;
  readonly #timer: NodeJS.Timeout;
  readonly #closers: (() => void | Promise<void>)[] = [];
  readonly signal: AbortSignal;
  #body: Readable | undefined;
  #ended: Promise<void> | undefined;

  constructor(signal: AbortSignal, limits: ExportingLimits) {
    this.#limits = limits;
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    const seconds = limits.timeMs / 1000;
    this.#timer = setTimeout(
      () => this.#fail(new CodedError('query_timeout', `the export took longer than ${seconds} s`)),
      limits.timeMs,
    );
  }

  /** Called at the end, the last one first. */
  onEnd(close: () => void | Promise<void>): void {
    this.#closers.unshift(close);
  }

  /** The pieces as a stream that is read ahead by one of them; resolves when the first is there. */
  async body(pieces: AsyncIterable<Uint8Array>): Promise<Readable> {
    const iterator = pieces[Symbol.asyncIterator]();
    this.onEnd(async () => {
      await iterator.return?.().catch(() => {});
    });
    const first = await iterator.next();
    const body = Readable.from(this.#watched(first, iterator), { objectMode: false });
    this.#body = body;
    return body;
  }

  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  /** The reason of its end where it was ended. */
  reasonOf(error: unknown): unknown {
    return this.#controller.signal.reason ?? error;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.signal.aborted) this.#controller.abort(new CodedError('timeout', 'the export has ended'));
    this.#body?.destroy();
    const failures: unknown[] = [];
    // Whatever one of them meets, the others hold something, too.
    for (const close of this.#closers) {
      await Promise.resolve(close()).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  #fail(error: CodedError): void {
    this.#controller.abort(error);
    this.#body?.destroy(error);
  }

  async *#watched(
    first: IteratorResult<Uint8Array>,
    iterator: AsyncIterator<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    for (let next = first; !next.done; next = await iterator.next()) {
      const timer = setTimeout(
        () => this.#fail(new CodedError('timeout', 'the client takes nothing any more')),
        this.#limits.idleMs,
      );
      try {
        yield next.value;
      } finally {
        clearTimeout(timer);
      }
    }
  }
}
