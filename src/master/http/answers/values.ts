import { type TSchema, Type } from '@sinclair/typebox';
import { closed } from '../contract.ts';

/*
 * What answers are made of. Schemas of answers only describe: they are not run over answers, but in tests over real
 * ones.
 */

/** Bytes, or any other number of things. */
export const whole = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description && { description }) });

/** Epoch milliseconds. */
export const epochMs = () => Type.Integer({ description: 'epoch milliseconds' });

export const time = () => Type.String({ format: 'date-time', description: 'RFC 3339' });

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const bothWays = () => closed({ download: whole(), upload: whole() });

/** Differences and corrections, which may be below zero. */
export const signedBothWays = () => closed({ download: Type.Integer(), upload: Type.Integer() });

export const TOTALS = {
  count: nullable(whole('connections; null where the filter tells bytes of one connection apart')),
  download: whole(),
  upload: whole(),
  total: whole(),
} as const;
