import { Type } from '@sinclair/typebox';
import { MEDIA_TYPES } from '../../../domain/export.ts';
import { closed, inEnvelope, type Returns } from '../contract.ts';
import { time } from './values.ts';

export const ExportTicketAnswer = inEnvelope(
  closed({ url: Type.String({ description: 'relative to this master' }), expires: time() }),
);

/** Files, by their media types without parameters. */
export const ExportedBodies: Returns = Object.fromEntries(
  Object.values(MEDIA_TYPES).map((type) => [type.split(';')[0] ?? type, Type.String()]),
);
