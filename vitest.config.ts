import { defineConfig } from 'vitest/config';

/**
 * V8 may end a process with threads on processors that protect memory by keys: "Check failed: jit_page.has_value()"
 * (nodejs/node#64500). Earlier versions of Node do not know the option, and refuse it.
 */
const execArgv = Number.parseInt(process.versions.node, 10) >= 24 ? ['--no-memory-protection-keys'] : [];

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Tests open real SQLite and DuckDB files and spawn processes: forks keep native modules apart.
    pool: 'forks',
    maxWorkers: 2,
    execArgv,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
