// Writes the table of flags into the READMEs (`--write`), or says which of them is stale (`--check`).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Language, withFlagTable } from '../src/cli/config/flag-table.ts';

const READMES: readonly (readonly [file: string, language: Language])[] = [
  ['README.md', 'en'],
  ['README.zh-CN.md', 'zh-CN'],
];

const mode = process.argv[2];
if (mode !== '--write' && mode !== '--check') {
  console.error('usage: node scripts/flags.ts --write|--check');
  process.exit(2);
}

for (const [file, language] of READMES) {
  const path = join(import.meta.dirname, '..', file);
  const before = readFileSync(path, 'utf8');
  const after = withFlagTable(before, language);
  if (after === undefined) {
    console.error(`${file}: the markers <!-- flags:start --> and <!-- flags:end --> are missing`);
    process.exitCode = 1;
  } else if (after !== before) {
    if (mode === '--write') writeFileSync(path, after);
    else process.exitCode = 1;
    console.error(
      `${file}: ${mode === '--write' ? 'written' : 'stale; run `node scripts/flags.ts --write`'}`,
    );
  }
}
