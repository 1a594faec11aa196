import type { TSchema } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { testApp } from './http.test-support.ts';
import { Failure, failuresOf } from './openapi/failures.ts';
import { toJsonSchema } from './openapi/json-schema.ts';
import { schemaCompiler, type Validator } from './openapi/validator.test-support.ts';
import { namesOf, type RegisteredRoute } from './route-registry.ts';

/** An answer of a master, its body parsed where it is JSON. */
export interface GivenAnswer {
  readonly method: string;
  /** With or without query, from `/api` on. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly body: unknown;
}

/** Holds real answers against what the routes say of theirs, so that no description can lie. */
export class AnswerCheck {
  readonly #app: FastifyInstance;
  readonly #compiler = schemaCompiler();
  readonly #validators = new Map<TSchema, Validator>();

  private constructor(app: FastifyInstance) {
    this.#app = app;
  }

  static async make(): Promise<AnswerCheck> {
    const app = testApp();
    await app.ready();
    return new AnswerCheck(app);
  }

  /** Every route but those of HEAD. */
  get routes(): readonly RegisteredRoute[] {
    return this.#app.registry.routes.filter(({ method }) => method !== 'HEAD');
  }

  /** Throws where an answer is not what its route says that it answers. */
  hold(answer: GivenAnswer): void {
    const { method, path, status, contentType, body } = answer;
    const what = `${method} ${path}: ${status}`;
    const route = this.#routeOf(method, path);
    if (status < 400 && route !== undefined) {
      const type = contentType?.split(';')[0] ?? '';
      const schema = route.contract.returns[type];
      if (schema === undefined) throw new Error(`${what}: nothing is said of ${type}`);
      // Of lines, the schema is that of each; an export's are told as one text.
      const isLines = type === 'application/x-ndjson' && schema.type !== 'string';
      const parts = isLines
        ? String(body)
            .trimEnd()
            .split('\n')
            .map((line): unknown => JSON.parse(line))
        : [body];
      for (const part of parts) this.#fit(what, schema, part);
      return;
    }
    this.#fit(what, Failure, body);
    const { code } = body as { code: string };
    if (route === undefined) return;
    const told = failuresOf(method, route.scope, route.contract).get(status) ?? [];
    if (!(told as string[]).includes(code)) throw new Error(`${what}: nothing is said of ${code}`);
  }

  #routeOf(method: string, path: string): RegisteredRoute | undefined {
    const steps = path.split('?')[0]!.split('/');
    return this.routes.find((route) => {
      const pattern = route.url.split('/');
      const fits = (step: string, index: number) => step === steps[index] || namesOf(step).length > 0;
      return route.method === method && pattern.length === steps.length && pattern.every(fits);
    });
  }

  #fit(what: string, schema: TSchema, body: unknown): void {
    let validator = this.#validators.get(schema);
    if (validator === undefined) {
      validator = this.#compiler.compile(toJsonSchema(schema) as object);
      this.#validators.set(schema, validator);
    }
    if (validator(body)) return;
    const misfits = validator.errors?.map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
    throw new Error(`${what} is not as its route says:\n${misfits?.slice(0, 10).join('\n')}`);
  }
}
