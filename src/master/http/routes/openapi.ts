import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from '../openapi/document.ts';
import { NoQuery } from '../parameters.ts';
import { addQuestion } from '../question.ts';

/** The whole API as OpenAPI 3.1, out of the schemas that validate requests. */
export function openApiRoute(app: FastifyInstance): void {
  /** Made when it is asked for: the last routes are registered after this one. */
  let document: string | undefined;

  addQuestion(app, {
    path: '/openapi.json',
    scope: 'read',
    summary: 'This document',
    query: NoQuery,
    returns: {
      'application/json': Type.Object({ openapi: Type.Literal('3.1.0'), paths: Type.Object({}) }),
    },
    answer: async (_query, { reply }) => {
      document ??= JSON.stringify(openApiDocument(app.registry.routes));
      return reply.type('application/json; charset=utf-8').send(document);
    },
  });
}
