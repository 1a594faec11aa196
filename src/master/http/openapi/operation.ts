import type { TObject, TSchema } from '@sinclair/typebox';
import type { RegisteredRoute } from '../route-registry.ts';
import type { Scope } from '../scope.ts';
import { failureResponse, failuresOf } from './failures.ts';
import { toJsonSchema } from './json-schema.ts';

/** `/agents/:id/status` → `/agents/{id}/status`. */
export function pathTemplate(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}');
}

/** `GET /api/v1/agents/:id/status` → `getAgentsByIdStatus`; of v2 with its number. */
export function operationId({ method, url }: Pick<RegisteredRoute, 'method' | 'url'>): string {
  const words = url
    .replace(/^\/api\/(v1\/)?/, '')
    .split('/')
    .flatMap((step) => (step.startsWith(':') ? ['by', step.slice(1)] : step.split(/[^A-Za-z0-9]+/)));
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join(
    '',
  );
}

/** A route as an operation of OpenAPI 3.1, out of what validates its requests and what it says of its answers. */
export function operationOf(route: RegisteredRoute): object {
  const { method, scope, contract } = route;
  const { summary, description, params, query, body, returns } = contract;
  const responses: Record<string, object> = {
    200: { description: 'Success', content: contentOf(returns) },
  };
  for (const [status, codes] of failuresOf(method, scope, contract)) {
    responses[status] = failureResponse(status, codes);
  }
  return {
    operationId: operationId(route),
    summary,
    ...(description !== undefined && { description }),
    security: securityOf(scope),
    parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
    ...(body !== undefined && {
      requestBody: { required: true, content: contentOf({ 'application/json': body }) },
    }),
    responses,
  };
}

/** A token with this right; or none, where the master serves the address for it. */
function securityOf(scope: Scope): object[] {
  return scope === 'none' ? [] : [{ token: [scope] }, {}];
}

function parametersOf(place: 'path' | 'query', object: TObject | undefined): object[] {
  return Object.entries(object?.properties ?? {}).map(([name, property]) => {
    const { description, ...schema } = property as TSchema & { description?: string };
    return {
      name,
      in: place,
      required: object?.required?.includes(name) === true,
      ...(description !== undefined && { description }),
      schema: toJsonSchema(schema),
    };
  });
}

function contentOf(bodies: Readonly<Record<string, TSchema>>): object {
  return Object.fromEntries(
    Object.entries(bodies).map(([type, schema]) => [type, { schema: toJsonSchema(schema) }]),
  );
}
