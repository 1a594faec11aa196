// Writes the catalogue of errors into docs/http-api.md (`--write`), or says that it is stale (`--check`).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withErrorTables } from './error-table.ts';

const FILE = 'docs/http-api.md';

const mode = process.argv[2];
if (mode !== '--write' && mode !== '--check') {
  console.error('usage: node scripts/errors.ts --write|--check');
  process.exit(2);
}

const path = join(import.meta.dirname, '..', FILE);
const before = readFileSync(path, 'utf8');
const after = withErrorTables(before);
if (after === undefined) {
  console.error(`${FILE}: the markers <!-- errors:start --> and <!-- errors:end --> are missing`);
  process.exitCode = 1;
} else if (after !== before) {
  if (mode === '--write') writeFileSync(path, after);
  else process.exitCode = 1;
  console.error(`${FILE}: ${mode === '--write' ? 'written' : 'stale; run `node scripts/errors.ts --write`'}`);
}
