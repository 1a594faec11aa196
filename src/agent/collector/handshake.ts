import { createHash, randomBytes } from 'node:crypto';
import { authorityOf, type CoreTarget, headersFor } from './core-target.ts';

/** RFC 6455, 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Longest head of an answer. */
const MAX_HEAD = 16_384;
const HEAD_END = '\r\n\r\n';

export interface Upgrade {
  /** The request's bytes. */
  request: string;
  /** What a server that understood it answers with. */
  accept: string;
}

/** The request that opens the feed. Throws when the secret cannot stand in a header. */
export function upgradeRequest(target: CoreTarget, path: string): Upgrade {
  const key = randomBytes(16).toString('base64');
  const headers: Record<string, string> = {
    Host: authorityOf(target),
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    ...headersFor(target),
  };
  const lines = Object.entries(headers).map(([name, value]) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end the header, or the request.
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
      throw new Error(`invalid character in the header ${name}`);
    return `${name}: ${value}\r\n`;
  });
  return {
    request: `GET ${target.basePath ?? ''}${path} HTTP/1.1\r\n${lines.join('')}\r\n`,
    accept: createHash('sha1').update(`${key}${MAGIC}`).digest('base64'),
  };
}

export interface AnswerHead {
  status: number;
  /** `Sec-WebSocket-Accept` and nothing else negotiated. */
  accept: string | undefined;
  upgraded: boolean;
}

/** Collects the head of the answer. */
export class AnswerReader {
  #text = '';

  /** The head once it is complete, with what followed it in this chunk; null before. Throws when it is none. */
  push(chunk: Uint8Array): { head: AnswerHead; rest: Uint8Array } | null {
    const before = this.#text.length;
    // One character a byte, so that places in the text are places in the bytes.
    this.#text += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1', 0, MAX_HEAD);
    const end = this.#text.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#text.length >= MAX_HEAD || !'HTTP/1.'.startsWith(this.#text.slice(0, 7)))
        throw new Error('the answer is no HTTP');
      return null;
    }
    return { head: readHead(this.#text.slice(0, end)), rest: chunk.subarray(end + HEAD_END.length - before) };
  }
}

function readHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.\d (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined) throw new Error('the answer is no HTTP');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return {
    status: Number(status),
    accept: headers.get('sec-websocket-accept'),
    upgraded:
      headers.get('upgrade')?.toLowerCase() === 'websocket' && !headers.has('sec-websocket-extensions'),
  };
}
