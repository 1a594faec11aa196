import { gunzipSync } from 'node:zlib';
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { CodedError, type ErrorDetail } from '../../common/errors.ts';
import { SyncPackage } from '../../protocol/v1.ts';
import { SyncRequest } from '../../protocol/v2.ts';

/** Largest body after inflation; enforced while inflating, for 1 GiB of zeros fits into 1 MB of gzip. */
export const MAX_INFLATED_BYTES = 16 * 1024 * 1024;

/** Deeper JSON than any of our messages is hostile. */
const MAX_DEPTH = 16;

/** What a full batch can hold: 5,000 rows of 33 values, and as many strings again; v1 records have as many fields. */
const MAX_VALUES = 400_000;

/**
 * Agents that the records of a v1 package may name: one, or for rows collected by an original's agent that took another
 * id at each start, some.
 */
const MAX_PACKAGE_AGENTS = 256;

/** The text of a body; throws `body_too_large` or `body_invalid`. */
export function inflate(body: Uint8Array, gzip: boolean): string {
  if (!gzip) {
    if (body.length > MAX_INFLATED_BYTES) {
      throw new CodedError('body_too_large', `the body has more than ${MAX_INFLATED_BYTES} bytes`);
    }
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  }
  try {
    return gunzipSync(body, { maxOutputLength: MAX_INFLATED_BYTES }).toString('utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new CodedError('body_too_large', `the body inflates to more than ${MAX_INFLATED_BYTES} bytes`);
    }
    throw new CodedError('body_invalid', 'the body is not valid gzip', { cause: error });
  }
}

/**
 * Refuses nesting and numbers of values that no message of ours has, before JSON.parse spends time, stack and memory on
 * them: 16 MB of `{}` cost two seconds and 900 MB, and inflate from 16 KB.
 */
function refuseExcess(text: string): void {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) {
        inString = false;
      }
    } else if (c === 0x22) {
      // Strings are most of a body: jump to their end where they hold no escape.
      const end = text.indexOf('"', i + 1);
      if (end === -1) return;
      if (text.charCodeAt(end - 1) === 0x5c) inString = true;
      else i = end;
    } else if (c === 0x2c) {
      values++;
    } else if (c === 0x5b || c === 0x7b) {
      values++;
      if (++depth > MAX_DEPTH) {
        throw new CodedError('body_invalid', `the body is nested deeper than ${MAX_DEPTH} levels`);
      }
    } else if (c === 0x5d || c === 0x7d) {
      depth--;
    }
    if (values > MAX_VALUES) {
      throw new CodedError('body_too_large', `the body holds more than ${MAX_VALUES} values`);
    }
  }
}

export function parseJson(text: string): unknown {
  refuseExcess(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CodedError('body_invalid', 'the body is not valid JSON', { cause: error });
  }
}

const checkV2 = TypeCompiler.Compile(SyncRequest);
const checkV1 = TypeCompiler.Compile(SyncPackage);

function problems(check: ReturnType<typeof TypeCompiler.Compile<TSchema>>, value: unknown): ErrorDetail[] {
  const details: ErrorDetail[] = [];
  for (const error of check.Errors(value)) {
    details.push({
      field: error.path.replace(/^\//, '').replaceAll('/', '.') || 'body',
      problem: error.message,
    });
    if (details.length === 50) break;
  }
  return details;
}

export function decodeV2(value: unknown): SyncRequest {
  if (checkV2.Check(value)) return value;
  throw new CodedError('body_invalid', 'the body is not a sync request of protocol 2', {
    details: problems(checkV2, value),
  });
}

export function decodeV1(value: unknown): SyncPackage {
  if (checkV1.Check(value)) {
    refuseManyAgents(value);
    return value;
  }
  throw new CodedError('body_invalid', '无效的请求数据 (the body is not a sync package)', {
    details: problems(checkV1, value),
  });
}

/** In smaller parts all of it is taken, so nothing is lost by it. */
function refuseManyAgents({ connections }: SyncPackage): void {
  const named = new Set<string>();
  for (const record of connections) {
    const id = (record as { agent_id?: unknown } | null)?.agent_id;
    if (typeof id === 'string') named.add(id);
  }
  if (named.size > MAX_PACKAGE_AGENTS) {
    throw new CodedError('body_too_large', `the package names more than ${MAX_PACKAGE_AGENTS} agents`);
  }
}
