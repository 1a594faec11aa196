'use strict';
// Apart from the entry file, because `import()` is a syntax error on a Node that must still be told so.
// DuckDB computes on libuv's pool: with its default of four threads, three queries and a flush would keep files,
// compression and names waiting. Read when the pool begins, so it must be set before anything is loaded. An agent has
// no DuckDB, and each thread costs it memory.
if (process.argv[2] !== 'agent') process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '12';

// Small machines: V8 would take up to 48 MB for young objects in each thread before it looks for garbage, and glibc an
// arena for every thread. Both are decided when a process begins, so this one begins again, in place: same PID, same
// streams. Where that is not possible (Windows, musl for the second) things are as they were.
var small = process.argv[2] === 'agent' || process.argv[2] === 'master';
var given = process.execArgv.concat(process.env.NODE_OPTIONS || '').join(' ');
if (
  small &&
  typeof process.execve === 'function' &&
  process.platform !== 'win32' &&
  !/semi-space/.test(given)
) {
  var env = Object.assign({}, process.env, { MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX || '2' });
  // With less, what a sync holds while it waits for the answer is taken for old, and looked at again and again.
  var flags = ['--max-semi-space-size=4'];
  // V8 ends a process with threads now and then where the processor protects memory by keys (nodejs/node#64500).
  if (parseInt(process.versions.node, 10) >= 24) flags.push('--no-memory-protection-keys');
  process.execve(
    process.execPath,
    [process.execPath].concat(process.execArgv, flags, process.argv.slice(1)),
    env,
  );
}

import('../dist/cli/main.js').then(
  (main) => main.run(process.argv.slice(2)),
  (error) => {
    if (error && error.code === 'ERR_MODULE_NOT_FOUND' && /dist/.test(String(error.message))) {
      console.error('mihomo-connections-tracker is not built yet: run `npm run build` first.');
    } else {
      console.error(error);
    }
    process.exit(2);
  },
);
