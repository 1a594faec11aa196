import { Type } from '@sinclair/typebox';
import { closed, inEnvelope } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { time } from './values.ts';

/** What the caller should know of this master and of its own token, without looking. */
export const SESSION_WARNINGS = ['open_to_network', 'token_expires_soon'] as const;
export type SessionWarning = (typeof SESSION_WARNINGS)[number];

export const SessionAnswer = inEnvelope(
  closed({
    auth: oneOf(['token', 'none'], 'what the rights come from; none: the address'),
    scope: oneOf(['read', 'admin']),
    scope_filter: Type.Null(),
    first_run: Type.Boolean({ description: 'no agent ever delivered' }),
    version: Type.String(),
    time: time(),
    tz: Type.String({ description: "the machine's zone, an IANA name" }),
    warnings: Type.Array(oneOf(SESSION_WARNINGS)),
  }),
);
