import type { TokenScope } from '../../domain/token.ts';

/**
 * What a route asks of its caller. `agent`: deliver; `read`: every question; `admin`: everything;
 * `none`: open to all, and served even to addresses that are refused otherwise.
 */
export const SCOPES = ['none', 'agent', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(value: unknown): value is Scope {
  return (SCOPES as readonly unknown[]).includes(value);
}

/** What a caller may do, and why. */
export interface Grant {
  readonly scopes: ReadonlySet<Scope>;
  /** The one agent it may deliver for; null: any. */
  readonly boundAgent: string | null;
  readonly by: 'nothing' | 'address' | 'token';
  /** When the token ends, epoch ms; null: never. */
  readonly expires: number | null;
}

/** An agent's token asks no questions: whoever takes it from a router must not read the history of a household. */
const SCOPES_OF: Readonly<Record<TokenScope, ReadonlySet<Scope>>> = {
  agent: new Set(['none', 'agent']),
  read: new Set(['none', 'read']),
  admin: new Set(SCOPES),
};

export function tokenGrant(token: {
  scope: TokenScope;
  agentId: string | null;
  expires: number | null;
}): Grant {
  const { scope, agentId, expires } = token;
  return { scopes: SCOPES_OF[scope], boundAgent: agentId, by: 'token', expires };
}

/** `--api-token`, as in the original: everything, in the name of any agent. */
export const SHARED_TOKEN = tokenGrant({ scope: 'admin', agentId: null, expires: null });

/** This machine, where no token is needed. */
export const MACHINE: Grant = { ...SHARED_TOKEN, by: 'address' };
/** Neighbours in the network of a master without tokens: they deliver and look, but change nothing. */
export const NEIGHBOUR: Grant = { ...MACHINE, scopes: new Set(['none', 'agent', 'read']) };
export const NOBODY: Grant = { ...MACHINE, scopes: new Set(['none']), by: 'nothing' };
