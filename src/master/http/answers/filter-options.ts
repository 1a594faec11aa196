import { Type } from '@sinclair/typebox';
import { closed, inEnvelope } from '../contract.ts';
import { whole } from './values.ts';

export const FilterOptionsAnswer = inEnvelope(
  Type.Array(
    closed({ value: Type.String(), label: Type.String(), field: Type.String(), total: whole('bytes') }),
  ),
);
