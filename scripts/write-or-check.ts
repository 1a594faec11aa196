import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes what is generated into a document (`--write`), or says that it is stale (`--check`). `name`: of the script. */
export function writeOrCheck(
  name: string,
  file: string,
  generate: (document: string) => string | undefined,
): void {
  const mode = process.argv[2];
  if (mode !== '--write' && mode !== '--check') {
    console.error(`usage: node scripts/${name}.ts --write|--check`);
    process.exit(2);
  }
  const path = join(import.meta.dirname, '..', file);
  const before = readFileSync(path, 'utf8');
  const after = generate(before);
  if (after === undefined) {
    console.error(`${file}: the markers <!-- ${name}:start --> and <!-- ${name}:end --> are missing`);
    process.exitCode = 1;
  } else if (after !== before) {
    if (mode === '--write') writeFileSync(path, after);
    else process.exitCode = 1;
    console.error(
      `${file}: ${mode === '--write' ? 'written' : `stale; run \`node scripts/${name}.ts --write\``}`,
    );
  }
}
