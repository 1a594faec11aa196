/** Counts of a suite that is a program of its own; its last line is what `npm test` reads. */
export class Tally {
  passed = 0;
  failed = 0;

  /** One test: what throws has failed, and the others go on. */
  async test(name: string, work: () => Promise<void> | void): Promise<boolean> {
    try {
      await work();
      this.passed++;
      return true;
    } catch (error) {
      this.failed++;
      console.log(`FAILED ${name}: ${(error as Error).message}`);
      return false;
    }
  }

  /** Prints the line and sets the exit code. */
  end(): void {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed > 0 || this.passed === 0 ? 1 : 0;
  }
}
