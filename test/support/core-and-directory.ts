import { afterEach, beforeEach } from 'vitest';
import { TestCore } from './core.ts';
import { TestDirectory } from './directory.ts';

export interface CoreAndDirectory {
  core: TestCore;
  directory: TestDirectory;
}

/** A simulated core and a directory for each test of a file; filled before each. What a file starts besides ends before them. */
export function coreAndDirectoryInEachTest(): CoreAndDirectory {
  const given = {} as CoreAndDirectory;
  beforeEach(async () => {
    given.directory = new TestDirectory();
    given.core = new TestCore();
    await given.core.start();
  });
  afterEach(async () => {
    await given.core.stop();
    given.directory.remove();
  });
  return given;
}
