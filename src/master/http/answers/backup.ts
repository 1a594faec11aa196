import { Type } from '@sinclair/typebox';
import { ERRORS } from '../../../common/errors.ts';
import { closed } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { nullable, time, whole } from './values.ts';

const File = closed({ bytes: whole(), sha256: Type.String() });

const Made = closed({
  path: Type.String({ description: 'the directory, on the machine of the master' }),
  bytes: whole(),
  made_at: time(),
  store_id: Type.String(),
  common_lot: nullable(closed({ lot: whole(), token: Type.String() })),
  files: closed({ 'records.db': File, 'facts.duckdb': File }),
});

/** One line of the answer; the last one is a success or an error. */
export const BackupLine = Type.Union([
  closed({ status: Type.Literal('running'), step: Type.String(), done: whole(), total: whole() }),
  closed({ status: Type.Literal('success'), data: Made, message: Type.Null() }),
  closed({
    status: Type.Literal('error'),
    data: Type.Null(),
    message: Type.String(),
    code: oneOf(Object.keys(ERRORS)),
    hint: Type.String(),
    details: Type.Optional(Type.Array(closed({ field: Type.String(), problem: Type.String() }))),
  }),
]);
