import { Type } from '@sinclair/typebox';
import { afterAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../../common/errors.ts';
import { BEARER, testApp } from '../http.test-support.ts';
import { openApiDocument } from './document.ts';
import { toJsonSchema } from './json-schema.ts';
import { schemaCompiler } from './validator.test-support.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document of JSON is looked into everywhere
type Json = any;

const app = testApp();
await app.ready();
const answer = await app.inject({ url: '/api/v1/openapi.json', headers: BEARER });
const document: Json = answer.json();
afterAll(() => app.close());

const operations: [path: string, method: string, operation: Json][] = Object.entries(document.paths).flatMap(
  ([path, item]) =>
    Object.entries(item as object).map(([method, operation]) => [path, method, operation] as never),
);

/** Every object in a value of JSON, itself included. */
function* objectsIn(value: Json): Generator<Json> {
  if (typeof value !== 'object' || value === null) return;
  yield value;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}

describe('/openapi.json', () => {
  it('is no envelope, and the document of the routes', () => {
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument(app.registry.routes))));
    expect(document.openapi).toBe('3.1.0');
  });

  it('lists every route with its method and right, and no other', () => {
    const listed = operations.map(([path, method, { security }]) => {
      const scope = security.length === 0 ? 'none' : security[0].token[0];
      return `${method.toUpperCase()} ${path} ${scope}`;
    });
    const registered = app.registry.routes
      .filter(({ method }) => method !== 'HEAD')
      .map(({ method, url, scope }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')} ${scope}`);
    expect(listed.sort()).toEqual(registered.sort());
  });

  it('declares every parameter of a path, required, and names none twice', () => {
    for (const [path, method, { parameters }] of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const inPath = parameters.filter((parameter: Json) => parameter.in === 'path');
      expect(
        inPath.map((parameter: Json) => parameter.name),
        `${method} ${path}`,
      ).toEqual(named);
      expect(inPath.every((parameter: Json) => parameter.required)).toBe(true);
      const names = parameters.map((parameter: Json) => `${parameter.in} ${parameter.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('gives each operation an id of its own, words about it, and an answer', () => {
    const ids = operations.map(([, , operation]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, method, { operationId, summary, responses, requestBody }] of operations) {
      expect(operationId).toMatch(/^(get|post|delete)[A-Z]\w*$/);
      expect(summary, path).toMatch(/^[A-Z].*[^.]$/);
      expect(Object.keys(responses[200].content).length, path).toBeGreaterThan(0);
      expect(requestBody !== undefined, path).toBe(method === 'post');
      for (const response of Object.values(responses) as Json[]) expect(response.description).not.toBe('');
    }
  });

  it('refers to nothing that it has not', () => {
    const references = [...objectsIn(document)].flatMap(({ $ref }) =>
      typeof $ref === 'string' ? [$ref] : [],
    );
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const target = reference
        .slice(2)
        .split('/')
        .reduce((value: Json, step) => value?.[step], document);
      expect(target, reference).toBeDefined();
    }
    for (const [, , { security }] of operations) {
      for (const name of security.flatMap(Object.keys)) {
        expect(document.components.securitySchemes).toHaveProperty(name);
      }
    }
  });

  it('holds schemas that are JSON Schema 2020-12, every one', () => {
    const compiler = schemaCompiler();
    const holders = [...objectsIn({ ...document, components: null })].filter(
      ({ schema }) => schema !== undefined,
    );
    expect(holders.length).toBeGreaterThan(100);
    for (const { schema } of holders) {
      compiler.compile({ ...schema, components: document.components });
    }
    compiler.compile(document.components.schemas.Failure);
  });

  it('tells the failures of the catalogue that a route may answer, by their status', () => {
    for (const [path, , { responses }] of operations) {
      for (const [status, response] of Object.entries(responses) as [string, Json][]) {
        if (status === '200') continue;
        const { enum: codes } = response.content['application/json'].schema.allOf[1].properties.code;
        for (const code of codes as (keyof typeof ERRORS)[]) {
          expect(ERRORS[code].status, `${path} ${code}`).toBe(Number(status));
          expect(response.description).toContain(ERRORS[code].hint);
        }
      }
    }
    const tokens = document.paths['/api/v1/tokens'].post.responses;
    expect(Object.keys(tokens)).toEqual([
      '200',
      '400',
      '401',
      '403',
      '408',
      '409',
      '413',
      '415',
      '429',
      '431',
      '500',
      '503',
    ]);
    expect(Object.keys(document.paths['/api/v1/health'].get.responses)).toEqual([
      '200',
      '400',
      '408',
      '431',
      '500',
    ]);
  });
});

describe('schemas of ours', () => {
  it('become JSON Schema 2020-12, whatever fields are called', () => {
    expect(
      toJsonSchema(Type.Tuple([Type.String(), Type.Object({ items: Type.Array(Type.Null()) })])),
    ).toEqual({
      type: 'array',
      prefixItems: [
        { type: 'string' },
        {
          type: 'object',
          properties: { items: { type: 'array', items: { type: 'null' } } },
          required: ['items'],
        },
      ],
      items: false,
      minItems: 2,
      maxItems: 2,
    });
    expect(toJsonSchema(Type.Literal('items'))).toEqual({ const: 'items', type: 'string' });
  });
});
