/**
 * What a route asks of its caller. `agent`: deliver; `read`: every question; `admin`: everything;
 * `none`: open to all, and served even to addresses that are refused otherwise.
 */
export const SCOPES = ['none', 'agent', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(value: unknown): value is Scope {
  return (SCOPES as readonly unknown[]).includes(value);
}

/** What a caller may do. */
export interface Grant {
  readonly scopes: ReadonlySet<Scope>;
  /** The one agent it may deliver for; null: any. */
  readonly boundAgent: string | null;
}

export const ADMIN: Grant = { scopes: new Set(SCOPES), boundAgent: null };
/** Neighbours in the network of a master without a token: they deliver and look, but change nothing. */
export const NEIGHBOUR: Grant = { scopes: new Set<Scope>(['none', 'agent', 'read']), boundAgent: null };
export const NOBODY: Grant = { scopes: new Set<Scope>(['none']), boundAgent: null };
