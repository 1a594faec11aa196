import type { FastifySchemaValidationError } from 'fastify';
import type { ErrorDetail } from '../../common/errors.ts';
import { parseAskedTime } from '../../domain/asked-time.ts';
import { nearestWord } from '../../domain/nearest.ts';

type Values = Readonly<Record<string, unknown>>;

/** Fields of a connection that facts do not hold, so that nothing can be summed by them. */
const RECORD_ONLY = ['source_port', 'sniff_host', 'dns_mode', 'uid', 'dscp'];

/**
 * Every problem that the validator found, in words for whoever wrote the query. One for each field: what follows
 * from a wrong type is not said again.
 */
export function problemsOf(
  errors: readonly FastifySchemaValidationError[],
  values: Values,
  known: readonly string[],
): ErrorDetail[] {
  const details = new Map<string, string>();
  for (const error of errors) {
    const field = fieldOf(error);
    if (!details.has(field)) details.set(field, problemOf(error, field, values[field], known));
  }
  return [...details].map(([field, problem]) => ({ field, problem }));
}

function fieldOf(error: FastifySchemaValidationError): string {
  const { additionalProperty, missingProperty } = error.params as Record<string, string | undefined>;
  return additionalProperty ?? missingProperty ?? error.instancePath.slice(1).split('/')[0] ?? '';
}

function problemOf(
  error: FastifySchemaValidationError,
  field: string,
  value: unknown,
  known: readonly string[],
): string {
  if (Array.isArray(value) && error.keyword !== 'additionalProperties') return 'is given more than once';
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownProblem(field, known);
    case 'required':
      return 'is required';
    case 'enum':
      return enumProblem(String(value), error.params.allowedValues as string[]);
    case 'type':
      return error.params.type === 'integer' ? 'must be a whole number' : 'must be a text';
    case 'minimum':
      return `must be at least ${String(error.params.limit)}`;
    case 'maximum':
      return `must be at most ${String(error.params.limit)}`;
    case 'maxLength':
      return `is longer than ${String(error.params.limit)} characters`;
    case 'minLength':
      return 'is empty';
    case 'format':
      return formatProblem(String(error.params.format), String(value));
    default:
      return error.message ?? 'is not valid';
  }
}

function unknownProblem(field: string, known: readonly string[]): string {
  if (RECORD_ONLY.includes(field)) {
    return 'is on connection records only: facts do not hold it, so nothing can be filtered by it here';
  }
  const nearest = nearestWord(field, known);
  return nearest === undefined ? 'is no parameter of this path' : `is unknown; did you mean "${nearest}"?`;
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
  if (format === 'time-zone') return 'must be the IANA name of a time zone, such as Europe/Berlin';
  if (format === 'port') return 'must be a port, 0 to 65535';
  return 'must be minute, hour, day, week, month, or a multiple such as 5m, 6h; parts of a day must divide it';
}
