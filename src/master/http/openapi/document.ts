import { VERSION } from '../../../common/program.ts';
import type { RegisteredRoute } from '../route-registry.ts';
import { Failure } from './failures.ts';
import { toJsonSchema } from './json-schema.ts';
import { operationOf, pathTemplate } from './operation.ts';

const DESCRIPTION = `The API of a master. Every answer of JSON is in one envelope: \`status\`, \`data\`, \`message\`; failures have a \`code\`, \
a \`hint\`, and all \`details\`. What is unknown or out of bounds is an error, never ignored. Every GET may be asked as HEAD.`;

const TOKEN = `--api-token, or a token of \`POST /api/v1/tokens\`. The role of an operation is the scope that it needs: \`agent\`, \`read\` or \
\`admin\`, which may do everything. A master without tokens goes by the client's address.`;

/** All routes as a document of OpenAPI 3.1. HEAD is left out, for it says nothing that GET does not. */
export function openApiDocument(routes: readonly RegisteredRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    if (route.method === 'HEAD') continue;
    const path = pathTemplate(route.url);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'mihomo-connections-tracker',
      version: VERSION,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Failure: toJsonSchema(Failure) },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: TOKEN } },
    },
  };
}
