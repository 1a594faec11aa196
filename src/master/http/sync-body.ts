import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CodedError } from '../../common/errors.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { MAX_SYNC_GZIP, MAX_SYNC_PLAIN } from './limits.ts';
import type { SyncHold } from './sync-slots.ts';

declare module 'fastify' {
  interface FastifyRequest {
    syncHold: SyncHold;
  }
}

/** A body as it arrived; only the ingest inflates and parses, away from this thread. */
export interface SyncBody {
  body: Buffer;
  gzip: boolean;
}

/** Whether the body is compressed; throws `unsupported_media` for anything but one layer of gzip. */
export function isGzip(encoding: string | undefined): boolean {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return false;
  if (name === 'gzip' || name === 'x-gzip') return true;
  throw new CodedError('unsupported_media', 'the content-encoding must be gzip, once, or none');
}

/** Charsets of which every text that is JSON on our wire is UTF-8 as it stands. */
const UTF8 = ['utf-8', 'utf8', 'us-ascii'];

/**
 * Throws `unsupported_media` for a body that says it is in another charset: it would be read as UTF-8 all the same, and
 * what comes out are other names, or a message about JSON that helps nobody.
 */
export function checkCharset(contentType: string | undefined): void {
  for (const [, quoted, plain] of (contentType ?? '').matchAll(
    /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi,
  )) {
    if (UTF8.includes((quoted ?? plain ?? '').toLowerCase())) continue;
    throw new CodedError('unsupported_media', 'the charset must be utf-8');
  }
}

/**
 * Collects a body and stops at its limit while it streams: nothing beyond is kept, whatever Content-Length said.
 * Throws `busy` when there is no room for it, or no slot once it is here.
 */
export async function readSyncBody(request: FastifyRequest, stream: IncomingMessage): Promise<SyncBody> {
  const gzip = isGzip(request.headers['content-encoding']);
  const limit = gzip ? MAX_SYNC_GZIP : MAX_SYNC_PLAIN;
  const expected = Number(request.headers['content-length'] ?? 0);
  if (expected > limit) throw tooLarge(limit);
  return { body: await collect(stream, limit, expected, request.syncHold), gzip };
}

function collect(stream: IncomingMessage, limit: number, expected: number, hold: SyncHold): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const bytes = new GrowingBuffer(expected, (more) => hold.share.grow(more));
    const settle = (error: Error | null): void => {
      stream.off('data', take).off('end', finish).off('error', fail).off('close', fail);
      if (error === null) {
        resolve(bytes.take());
        return;
      }
      // What still comes is read and dropped: hanging up now could cost the client the answer.
      stream.resume();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      if (bytes.size + chunk.length > limit) settle(tooLarge(limit));
      else bytes.add(chunk);
    };
    const finish = (): void => {
      try {
        hold.arrived();
        settle(null);
      } catch (error) {
        settle(error as CodedError);
      }
    };
    const fail = (): void => settle(new CodedError('timeout', 'the body ended too early'));
    hold.evicted = settle;
    stream.on('data', take).on('end', finish).on('error', fail).on('close', fail);
  });
}

function tooLarge(limit: number): CodedError {
  return new CodedError('body_too_large', `the body is larger than ${limit} bytes`);
}

/** Takes JSON bodies unparsed in this part of the app. */
export function useSyncBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { bodyLimit: MAX_SYNC_PLAIN },
    (request: FastifyRequest, stream: IncomingMessage) => readSyncBody(request, stream),
  );
}
