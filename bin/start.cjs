'use strict';
// Apart from the entry file, because `import()` is a syntax error on a Node that must still be told so.
// DuckDB computes on libuv's pool: with its default of four threads, three queries and a flush would keep files,
// compression and names waiting. Read when the pool begins, so it must be set before anything is loaded.
process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '12';

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
