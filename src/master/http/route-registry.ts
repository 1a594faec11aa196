import type { RouteOptions } from 'fastify';
import { isScope, type Scope } from './scope.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: Scope;
  }
}

export interface RegisteredRoute {
  readonly method: string;
  readonly url: string;
  readonly scope: Scope;
}

/**
 * Every route with what it asks of its caller. A route that does not say so is refused when it is registered, so
 * none can be open by oversight; tests take their matrix from here.
 */
export class RouteRegistry {
  readonly #routes: RegisteredRoute[] = [];
  readonly #patterns = new Map<string, RegExp>();

  add(route: RouteOptions): void {
    const scope: unknown = route.config?.scope;
    if (!isScope(scope)) throw new Error(`route ${route.url} declares no scope`);
    for (const method of [route.method].flat()) this.#routes.push({ method, url: route.url, scope });
    this.#patterns.set(route.url, patternOf(route.url));
  }

  get routes(): readonly RegisteredRoute[] {
    return this.#routes;
  }

  /** The methods of a path (without query), empty when there is no such path. */
  methodsOf(path: string): string[] {
    const methods = new Set<string>();
    for (const route of this.#routes) {
      if (this.#patterns.get(route.url)?.test(path)) methods.add(route.method);
    }
    return [...methods].sort();
  }
}

function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
  return new RegExp(`^${escaped}$`);
}
