import type { FastifySchemaValidationError } from 'fastify';
import type { ErrorDetail } from '../../common/errors.ts';

import { parseAskedTime, parseInstant } from '../../domain/asked-time.ts';
import { RECORD_ONLY } from '../../domain/filter/fields.ts';
import { nearestWord } from '../../domain/nearest.ts';
import { chooseAlternatives } from './alternatives.ts';
import { fieldPath } from './field-path.ts';

/** A query holds texts only, so that what its values are called differs from a body's. */
export type Place = 'query' | 'body';

/** What the validator says with `verbose`: the value that is wrong, and the schema around the keyword. */
export interface Finding extends FastifySchemaValidationError {
  readonly data?: unknown;
  readonly parentSchema?: { readonly properties?: object };
}

/** Of one answer: a body of 64 KiB can be wrong in more places than anybody reads. */
const MAX_PROBLEMS = 100;

/**
 * Every problem that the validator found, in words for whoever wrote the request. One for each field: what follows
 * from a wrong type is not said again.
 */
export function problemsOf(findings: readonly Finding[], place: Place): ErrorDetail[] {
  const details = new Map<string, string>();
  for (const { finding, instead } of chooseAlternatives(findings)) {
    const field = fieldPath(finding.instancePath, nameOf(finding));
    if (details.has(field)) continue;
    const problem = instead.length === 0 ? problemOf(finding, place) : either(instead, place);
    details.set(field, problem);
  }
  const listed = [...details].map(([field, problem]) => ({ field, problem }));
  if (listed.length <= MAX_PROBLEMS) return listed;
  const left = listed.length - MAX_PROBLEMS;
  return [...listed.slice(0, MAX_PROBLEMS), { field: '', problem: `and ${left} more problems` }];
}

/** The name of a field that is too much or missing; it is not in the path, which ends at the object. */
function nameOf({ params }: Finding): string | undefined {
  const { additionalProperty, missingProperty } = params as Record<string, string | undefined>;
  return additionalProperty ?? missingProperty;
}

/** Alternatives of which none fits. */
function either(alternatives: readonly Finding[], place: Place): string {
  return [...new Set(alternatives.map((finding) => problemOf(finding, place)))].join(', or ');
}

function problemOf(finding: Finding, place: Place): string {
  const { keyword, params, data } = finding;
  if (place === 'query' && Array.isArray(data)) return 'is given more than once';
  switch (keyword) {
    case 'additionalProperties':
      return unknownProblem(String(params.additionalProperty), finding, place);
    case 'required':
      return 'is required';
    case 'enum':
      return enumProblem(String(data), params.allowedValues as string[]);
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'type':
      return `must be ${TYPES[String(params.type)] ?? String(params.type)}`;
    case 'minimum':
      return `must be at least ${String(params.limit)}`;
    case 'maximum':
      return `must be at most ${String(params.limit)}`;
    case 'maxLength':
      return `is longer than ${String(params.limit)} characters`;
    case 'minLength':
      return 'is empty';
    case 'maxItems':
      return `has more than ${String(params.limit)} items`;
    case 'minItems':
      return params.limit === 1 ? 'is empty' : `has fewer than ${String(params.limit)} items`;
    case 'uniqueItems':
      return 'names something twice';
    case 'format':
      return formatProblem(String(params.format), String(data));
    default:
      return finding.message ?? 'is not valid';
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
};

function unknownProblem(field: string, { parentSchema }: Finding, place: Place): string {
  if (RECORD_ONLY.includes(field)) {
    return 'is on connection records only: facts do not hold it, so nothing can be filtered by it here';
  }
  const nearest = nearestWord(field, Object.keys(parentSchema?.properties ?? {}));
  if (nearest !== undefined) return `is unknown; did you mean "${nearest}"?`;
  return place === 'query' ? 'is no parameter of this path' : 'is no field here';
}

function enumProblem(value: string, allowed: readonly string[]): string {
  if (RECORD_ONLY.includes(value)) {
    return 'is on connection records only: facts do not hold it, so nothing can be summed by it';
  }
  const nearest = nearestWord(value, allowed);
  const suggestion = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  return `must be one of ${allowed.join(', ')}${suggestion}`;
}

function formatProblem(format: string, value: string): string {
  if (format === 'instant') {
    const parsed = parseAskedTime(value);
    return 'problem' in parsed ? parsed.problem : 'is not valid';
  }
  if (format === 'zoned-instant') {
    const parsed = parseInstant(value);
    return 'problem' in parsed ? parsed.problem : 'is not valid';
  }
  if (format === 'time-zone') return 'must be the IANA name of a time zone, such as Europe/Berlin';
  if (format === 'port') return 'must be a port, 0 to 65535';
  return 'must be minute, hour, day, week, month, or a multiple such as 5m, 6h; parts of a day must divide it';
}
