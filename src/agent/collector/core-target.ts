import { isIP, connect as netConnect, type OnReadOpts, type Socket } from 'node:net';
import { tls as nodeTls } from '../built-in.ts';

export interface CoreTls {
  /** Certificates (PEM) that are trusted instead of the system's. */
  ca?: string | Buffer | undefined;
  /** Take any certificate. */
  insecure: boolean;
}

/** A core's controller, and how to get in. */
export interface CoreTarget {
  host: string;
  port: number;
  /** The controller's secret; `''`: none. */
  token: string;
  /** TLS, when given. */
  tls?: CoreTls | undefined;
  /** A Unix socket, used instead of host and port. */
  socketPath?: string | undefined;
  /** Before every path, without a slash at its end. */
  basePath?: string | undefined;
}

/** Idle milliseconds after which the kernel probes the peer: the core itself never answers a ping. */
const KEEP_ALIVE_MS = 30_000;

/** Told what arrives; the chunk is overwritten by the next one. */
export type ChunkReader = (chunk: Uint8Array) => void;

/**
 * A new connection to the controller; errors come as events of the socket. With a `reader` what arrives goes through one
 * buffer of `readBytes` to it, and never becomes a `data` event.
 */
export function connectTo(target: CoreTarget, reader?: ChunkReader, readBytes = 65_536): Socket {
  const onread =
    reader === undefined
      ? undefined
      : {
          buffer: Buffer.allocUnsafeSlow(readBytes),
          callback: (count: number, chunk: Uint8Array) => {
            reader(chunk.subarray(0, count));
            return true;
          },
        };
  const socket = open(target, onread === undefined ? {} : { onread });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  return socket;
}

function open({ host, port, tls, socketPath }: CoreTarget, reading: { onread?: OnReadOpts }): Socket {
  if (socketPath !== undefined) return netConnect({ path: socketPath, ...reading });
  if (tls === undefined) return netConnect({ host, port, ...reading });
  return nodeTls().connect({
    ...reading,
    host,
    port,
    ca: tls.ca,
    rejectUnauthorized: !tls.insecure,
    // Not h2: the core's WebSocket exists in HTTP/1.1 only.
    ALPNProtocols: ['http/1.1'],
    // An address is no name to ask for.
    servername: isIP(host) === 0 ? host : '',
  });
}

/** The secret goes into the header: what is in a URL ends up in logs. */
export function headersFor({ token }: CoreTarget): Record<string, string> {
  // Node writes headers as Latin-1, the core compares UTF-8 bytes.
  return token === '' ? {} : { authorization: `Bearer ${Buffer.from(token, 'utf8').toString('latin1')}` };
}

/** `host:port` as URLs and the Host header have it; the zone of a link-local address is nobody else's business. */
export function authorityOf({ host, port, socketPath }: CoreTarget): string {
  if (socketPath !== undefined) return 'localhost';
  const bare = host.replace(/%.*$/, '');
  return `${bare.includes(':') ? `[${bare}]` : bare}:${port}`;
}

/** A failure in a few words for the log and the status: never with secrets, never empty. */
export function describeFailure(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeFailure(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const text = error.message === '' ? (code ?? error.name) : error.message;
  return code === undefined || text.includes(code) ? text.slice(0, 200) : `${text} (${code})`.slice(0, 200);
}
