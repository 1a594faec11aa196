import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of a test's own, gone at the latest with the test's process unless it is kept. */
export class TestDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'tracker-test-'));
  #kept = false;
  readonly #atExit = () => this.remove();

  constructor() {
    process.on('exit', this.#atExit);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** For a look at what went wrong. */
  keep(): string {
    this.#kept = true;
    return this.path;
  }

  remove(): void {
    process.off('exit', this.#atExit);
    if (!this.#kept) rmSync(this.path, { recursive: true, force: true });
  }
}
