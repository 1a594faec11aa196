import type { Static, TObject } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { ErrorDetail } from '../../common/errors.ts';
import { type Finding, type Place, problemsOf } from './problems.ts';

export type Check<S extends TObject> = (
  value: Partial<Static<S>>,
) => readonly ErrorDetail[] | Promise<readonly ErrorDetail[]>;

/** A part of a request after it was looked at. Whole and of its type only where there are no details. */
export interface Inspected<S extends TObject> {
  readonly details: ErrorDetail[];
  readonly value: Static<S>;
}

/**
 * Everything that is wrong with a query, a body, or a part of a body: what the schema says, then what `check` says of
 * the fields that are valid by themselves, also of objects in it. The value itself is not changed, and nothing in it is converted.
 * `details` has a problem of an empty field where the value as a whole is no object.
 */
export async function inspect<S extends TObject>(
  request: FastifyRequest,
  place: Place,
  schema: S,
  value: unknown,
  check?: Check<S>,
): Promise<Inspected<S>> {
  const validate = request.compileValidationSchema(schema);
  const details = validate(value) ? [] : problemsOf((validate.errors ?? []) as Finding[], place);
  if (!isObject(value)) return { details, value: {} as Static<S> };
  const wrong = details.map(({ field }) => namesOf(field));
  const valid = wrong.reduce(without, value);
  const together = (await check?.(valid as Partial<Static<S>>)) ?? [];
  const isTold = (field: string) =>
    wrong.some((names) => names.every((name, index) => namesOf(field)[index] === name));
  details.push(...together.filter(({ field }) => !isTold(field)));
  return { details, value: valid as Static<S> };
}

/** The names that lead to the field of an object that holds a place; a list is wrong as a whole. */
function namesOf(path: string): string[] {
  return (/^[^[]*/.exec(path)?.[0] ?? path).split('.');
}

/** The object but for one field of it, or of one of the objects in it. */
function without(
  value: Record<string, unknown>,
  [name = '', ...more]: readonly string[],
): Record<string, unknown> {
  const inner = value[name];
  if (more.length > 0 && isObject(inner)) return { ...value, [name]: without(inner, more) };
  const { [name]: _wrong, ...rest } = value;
  return rest;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
