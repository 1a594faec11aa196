import type { Socket } from 'node:net';
import { type CoreTarget, connectTo, describeFailure } from './core-target.ts';
import type { FrameBuffers } from './frame-buffers.ts';
import { AnswerReader, upgradeRequest } from './handshake.ts';
import { MessageReader } from './message-reader.ts';
import { MAX_FRAME_BYTES, type Transport, type TransportEnd, type TransportEvents } from './transport.ts';

/** What one read takes at most. */
const READ_BYTES = 128 * 1024;

const PROBLEMS = {
  closed: 'the core closed the connection',
  malformed: 'what came is no WebSocket',
  'too-long': `a message is longer than ${MAX_FRAME_BYTES} bytes`,
} as const;

/**
 * The core's feed: one snapshot a message. The core never reads its end: so no pings, no closing handshake, and whether it still
 * lives is for the caller's watchdog to find out. `intervalMs` is sent only when given.
 *
 * Spoken by hand, since so little of the protocol is used here: with a library every snapshot was garbage twice, in
 * pieces and as a whole, and at 10,000 connections collecting it cost more CPU and memory than all the rest.
 */
export function openStream(
  target: CoreTarget,
  intervalMs: number | undefined,
  buffers: FrameBuffers,
  events: TransportEvents,
): Transport {
  let over = false;
  let upgraded = false;
  let socket: Socket | undefined;
  const close = () => {
    over = true;
    socket?.destroy();
  };
  const end = (how: TransportEnd) => {
    if (over) return;
    close();
    events.ended(how);
  };
  const gone = (detail: string) => end({ kind: 'gone', detail, upgraded });
  const messages = new MessageReader(buffers, MAX_FRAME_BYTES, {
    message: (bytes) => {
      if (!over) events.frame(bytes);
    },
    problem: (problem) => gone(PROBLEMS[problem]),
  });
  try {
    const query = intervalMs === undefined ? '' : `?interval=${intervalMs}`;
    const { request, accept } = upgradeRequest(target, `/connections${query}`);
    const answer = new AnswerReader();
    const receive = (chunk: Uint8Array) => {
      if (upgraded) return messages.push(chunk);
      const read = answer.push(chunk);
      if (read === null) return;
      const { head, rest } = read;
      if (head.status === 401) return end({ kind: 'unauthorized' });
      if (head.status !== 101)
        return end({ kind: 'not-upgraded', detail: `the WebSocket was answered with status ${head.status}` });
      if (!head.upgraded || head.accept !== accept) return gone('the WebSocket was not agreed upon');
      upgraded = true;
      messages.push(rest);
    };
    socket = connectTo(
      target,
      (chunk) => {
        if (over) return;
        try {
          receive(chunk);
        } catch (error) {
          gone(describeFailure(error));
        }
      },
      READ_BYTES,
    );
    socket.write(request, 'latin1');
  } catch (error) {
    setImmediate(end, { kind: 'gone', detail: describeFailure(error), upgraded });
    return { polled: false, close };
  }
  // Stays after the end: destroying a socket that is still connecting is an error of its own.
  socket.on('error', (error) => gone(describeFailure(error)));
  socket.on('end', () => gone(PROBLEMS.closed));
  socket.on('close', () => gone(PROBLEMS.closed));
  return { polled: false, close };
}
