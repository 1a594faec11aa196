import type { Finding } from './problems.ts';

/** A finding to be told; `instead`: what each alternative wants there, where none of them fits. */
export interface Chosen {
  readonly finding: Finding;
  readonly instead: readonly Finding[];
}

/**
 * Where a schema gives alternatives (`anyOf`) the validator tells what is wrong with each of them. What was meant is
 * most likely the one of the value's type with the fewest mistakes, and only its problems are worth telling.
 */
export function chooseAlternatives(findings: readonly Finding[]): Chosen[] {
  const choices = findings.filter(({ keyword }) => keyword === 'anyOf');
  let left: Chosen[] = findings
    .filter(({ keyword }) => keyword !== 'anyOf')
    .map((finding) => ({ finding, instead: [] }));
  // Inner ones come first, as the validator tells them.
  for (const choice of choices) left = decided(choice, left);
  return left;
}

function decided(choice: Finding, told: readonly Chosen[]): Chosen[] {
  const branches = new Map<string, Chosen[]>();
  const others: Chosen[] = [];
  for (const entry of told) {
    const branch = branchOf(choice, entry.finding);
    if (branch === null) others.push(entry);
    else branches.set(branch, [...(branches.get(branch) ?? []), entry]);
  }
  const ofType = [...branches.values()].filter(
    (entries) => !entries.some((entry) => isWrongType(choice, entry)),
  );
  const meant = ofType.length > 0 ? ofType : [...branches.values()];
  const deep = meant.filter((entries) => entries.some((entry) => !isAt(choice, entry)));
  if (deep.length > 0) {
    const best = deep.reduce((least, entries) => (weight(entries) < weight(least) ? entries : least));
    return [...others, ...best];
  }
  const wanted = meant.flat().flatMap(({ finding, instead }) => (instead.length > 0 ? instead : [finding]));
  return [...others, { finding: choice, instead: wanted }];
}

/** Which alternative of a choice a finding is about; null: it is about something else. */
function branchOf(choice: Finding, finding: Finding): string | null {
  const schema = `${choice.schemaPath}/`;
  const value = `${choice.instancePath}/`;
  if (!finding.schemaPath.startsWith(schema) || !`${finding.instancePath}/`.startsWith(value)) return null;
  return finding.schemaPath.slice(schema.length).split('/')[0] ?? null;
}

function isAt(choice: Finding, { finding }: Chosen): boolean {
  // A missing or unknown field is a mistake inside the object, though the validator places it at the object.
  const inside = finding.keyword === 'required' || finding.keyword === 'additionalProperties';
  return finding.instancePath === choice.instancePath && !inside;
}

function isWrongType(choice: Finding, entry: Chosen): boolean {
  return isAt(choice, entry) && entry.finding.keyword === 'type';
}

/** A wrong constant is the mark of another alternative, so it weighs more than any other mistake. */
function weight(entries: readonly Chosen[]): number {
  return entries.reduce((sum, { finding }) => sum + (finding.keyword === 'const' ? 100 : 1), 0);
}
