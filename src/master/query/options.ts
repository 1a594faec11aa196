import type { Part } from './filter.ts';
import { dimensionSpec, type GroupKey, type GroupSpec, groupSpec } from './group-keys.ts';
import type { OptionsQuestion } from './questions.ts';
import type { Sql } from './sql.ts';
import { optionsStatement } from './statements.ts';

/** A kind of values that a filter takes: how they are grouped, and the field of the record they are of. */
interface OptionKind {
  readonly field: string;
  readonly by: GroupSpec;
}

function kindsOf(key: GroupKey): OptionKind[] {
  switch (key) {
    // Both forms are filters: `RULE`, which stands for all its payloads, and `RULE (payload)`.
    case 'rule':
      return [
        { field: 'rule', by: dimensionSpec('rule') },
        { field: 'rule_payload', by: groupSpec('rule') },
      ];
    case 'destination':
      return [
        { field: 'destination_ip', by: groupSpec('destination') },
        { field: 'host', by: dimensionSpec('host') },
      ];
    default:
      return [{ field: groupSpec(key).rowKey, by: groupSpec(key) }];
  }
}

export function optionStatements(
  question: OptionsQuestion,
  part: Part,
  limit: number,
): { field: string; statement: Sql }[] {
  return kindsOf(question.of).map(({ field, by }) => ({
    field,
    statement: optionsStatement(by, part, question.query ?? '', limit),
  }));
}
