import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * The server's side of a WebSocket as the core has it: written by hand, for libraries are better behaved. Nothing
 * is negotiated, only unfragmented text frames are sent, and nothing is ever read.
 */

/** The core compares the header's value exactly, so `WebSocket` is a plain request to it. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade === 'websocket';
}

/** The status that refuses a malformed handshake, or `null`. */
export function handshakeProblem(request: IncomingMessage): { status: number; message: string } | null {
  const { headers } = request;
  if (request.method !== 'GET') return { status: 405, message: 'Method Not Allowed' };
  if (request.httpVersionMajor < 1 || (request.httpVersionMajor === 1 && request.httpVersionMinor < 1))
    return { status: 505, message: 'HTTP Version Not Supported' };
  if (!(headers.connection ?? '').toLowerCase().includes('upgrade'))
    return { status: 400, message: 'bad Connection header' };
  if ((headers['sec-websocket-key'] ?? '').length !== 24)
    return { status: 400, message: 'bad Sec-WebSocket-Key header' };
  const version = headers['sec-websocket-version'];
  if (version !== '13') return { status: version === undefined ? 400 : 426, message: 'bad version' };
  return null;
}

/** The head of the 101 answer. Hijacked by the core's handler, so it has no Date. */
export function switchingProtocols(request: IncomingMessage): string {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** Head of one unfragmented, unmasked text frame of `length` bytes. */
export function frameHead(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length]);
  if (length < 65_536) {
    const head = Buffer.from([0x81, 126, 0, 0]);
    head.writeUInt16BE(length, 2);
    return head;
  }
  const head = Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
