import { WebSocket } from 'ws';
import { authorityOf, type CoreTarget, connectTo, describeFailure, headersFor } from './core-target.ts';
import { MAX_FRAME_BYTES, type Transport, type TransportEnd, type TransportEvents } from './transport.ts';

/**
 * The core's feed: one snapshot a message. The core never reads its end: so no pings, no closing handshake, and whether it still
 * lives is for the caller's watchdog to find out. `intervalMs` is sent only when given.
 */
export function openStream(
  target: CoreTarget,
  intervalMs: number | undefined,
  events: TransportEvents,
): Transport {
  let over = false;
  let upgraded = false;
  let socket: WebSocket | undefined;
  const close = () => {
    over = true;
    socket?.terminate();
  };
  const end = (how: TransportEnd) => {
    if (over) return;
    close();
    events.ended(how);
  };
  const query = intervalMs === undefined ? '' : `?interval=${intervalMs}`;
  const scheme = target.tls === undefined ? 'ws' : 'wss';
  try {
    socket = new WebSocket(`${scheme}://${authorityOf(target)}${target.basePath ?? ''}/connections${query}`, {
      headers: headersFor(target),
      createConnection: () => connectTo(target),
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      followRedirects: false,
      // The parser is the judge of the text; one bad name must not end the connection.
      skipUTF8Validation: true,
    });
  } catch (error) {
    setImmediate(end, { kind: 'gone', detail: describeFailure(error), upgraded });
    return { polled: false, close };
  }
  socket.on('open', () => {
    upgraded = true;
  });
  socket.on('message', (data) => {
    if (!over) events.frame(data as Buffer);
  });
  socket.on('unexpected-response', (call, response) => {
    const { statusCode = 0 } = response;
    response.resume();
    call.destroy();
    if (statusCode === 401) end({ kind: 'unauthorized' });
    else end({ kind: 'not-upgraded', detail: `the WebSocket was answered with status ${statusCode}` });
  });
  // Stays after the end: terminating a socket that is still connecting is an error of its own.
  socket.on('error', (error) => end({ kind: 'gone', detail: describeFailure(error), upgraded }));
  socket.on('close', () => end({ kind: 'gone', detail: 'the core closed the connection', upgraded }));
  return { polled: false, close };
}
