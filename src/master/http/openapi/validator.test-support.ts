import { createRequire } from 'node:module';
import { FORMATS } from '../parameters.ts';

/** Says whether a value fits a schema, and in `errors` why not. */
export interface Validator {
  (value: unknown): boolean;
  errors?: { instancePath: string; message?: string; params: object }[] | null;
}

/** The validator that Fastify brings along, in its form for the drafts that OpenAPI 3.1 is written in. */
const ofFastify = createRequire(createRequire(import.meta.url).resolve('fastify'));
const Ajv2020 = createRequire(ofFastify.resolve('@fastify/ajv-compiler'))('ajv/dist/2020').default as new (
  options: object,
) => { compile(schema: object): Validator };

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Compiles schemas of JSON Schema 2020-12 strictly: what is no keyword is a mistake. */
export function schemaCompiler(): { compile(schema: object): Validator } {
  return new Ajv2020({
    allErrors: true,
    strictTypes: false,
    formats: {
      ...FORMATS,
      'date-time': (text: string) => RFC3339.test(text) && !Number.isNaN(Date.parse(text)),
    },
    // No keyword of a schema, but where a document of OpenAPI keeps those that are referred to.
    keywords: ['components'],
  });
}
