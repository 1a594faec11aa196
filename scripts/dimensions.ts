// Writes the dimensions into docs/http-api.md and docs/command-line.md (`--write`), or says that they are stale (`--check`).
import { withDimensionNames, withDimensionTable } from './dimension-tables.ts';
import { writeOrCheck } from './write-or-check.ts';

writeOrCheck('dimensions', 'docs/http-api.md', withDimensionTable);
writeOrCheck('dimensions', 'docs/command-line.md', withDimensionNames);
