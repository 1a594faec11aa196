'use strict';
// Apart from the entry file, because `import()` is a syntax error on a Node that must still be told so.
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
