// Writes the catalogue of errors into docs/http-api.md (`--write`), or says that it is stale (`--check`).
import { withErrorTables } from './error-table.ts';
import { writeOrCheck } from './write-or-check.ts';

writeOrCheck('errors', 'docs/http-api.md', withErrorTables);
