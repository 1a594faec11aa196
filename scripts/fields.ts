// Writes the fields of filters into docs/filters.md (`--write`), or says that the table is stale (`--check`).
import { withFieldTable } from './field-table.ts';
import { writeOrCheck } from './write-or-check.ts';

writeOrCheck('fields', 'docs/filters.md', withFieldTable);
