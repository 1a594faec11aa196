import { Type } from '@sinclair/typebox';
import { SyncAnswer as Merged } from '../../../protocol/v2.ts';
import { closed, inEnvelope } from '../contract.ts';
import { whole } from './values.ts';

export const SyncV1Answer = inEnvelope(closed({ message: Type.String(), count: whole('records received') }));

export const SyncV2Answer = inEnvelope(Merged);
