import type { RouteOptions } from 'fastify';
import type { Contract } from './contract.ts';
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
  readonly contract: Contract;
}

/**
 * Every route with what it asks of its caller and what it answers. A route that does not say so is refused when it is
 * registered, so that none is open or undescribed by oversight; tests and `/openapi.json` take their lists from here.
 */
export class RouteRegistry {
  readonly #routes: RegisteredRoute[] = [];
  readonly #patterns = new Map<string, RegExp>();

  add(route: RouteOptions): void {
    const { url } = route;
    const { scope, contract } = route.config ?? {};
    if (!isScope(scope)) throw new Error(`route ${url} declares no scope`);
    if (contract === undefined) throw new Error(`route ${url} declares no contract`);
    const named = namesOf(url).join();
    const declared = Object.keys(contract.params?.properties ?? {}).join();
    if (named !== declared)
      throw new Error(`route ${url} declares the parameters (${declared}), and has (${named})`);
    for (const method of [route.method].flat()) this.#routes.push({ method, url, scope, contract });
    this.#patterns.set(url, patternOf(url));
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

/** Names of the parameters in a path, in their order. */
export function namesOf(url: string): string[] {
  return [...url.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
}

function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
  return new RegExp(`^${escaped}$`);
}
