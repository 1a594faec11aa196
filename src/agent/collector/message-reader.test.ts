import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameBuffers } from './frame-buffers.ts';
import { type MessageProblem, MessageReader } from './message-reader.ts';

/** A frame as a server sends it, with whatever first byte. */
function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload]);
  if (length < 65_536) {
    const head = Buffer.from([first, 126, 0, 0]);
    head.writeUInt16BE(length, 2);
    return Buffer.concat([head, payload]);
  }
  const head = Buffer.from([first, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

function read(chunks: readonly Buffer[], buffers = new FrameBuffers(), maxBytes = 1_000_000) {
  const messages: Buffer[] = [];
  const problems: MessageProblem[] = [];
  const reader = new MessageReader(buffers, maxBytes, {
    message: (bytes) => messages.push(Buffer.from(bytes)),
    problem: (problem) => problems.push(problem),
  });
  for (const chunk of chunks) reader.push(chunk);
  return { messages, problems };
}

const text = (value: string) => Buffer.from(value);

describe('messages of a WebSocket', () => {
  test('are whole however they are cut, also when they themselves come in several frames', () => {
    const payload = fc
      .tuple(fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000), fc.integer({ min: 0, max: 255 }))
      .map(([length, byte]) => Buffer.alloc(length, byte));
    const message = fc.array(payload, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.nat(400_000), { maxLength: 20 }),
        (sent, cuts) => {
          const bytes = Buffer.concat(
            sent.flatMap((parts) =>
              parts.map((part, i) => frame((i === 0 ? 1 : 0) | (i === parts.length - 1 ? 0x80 : 0), part)),
            ),
          );
          const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const chunks = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
          const { messages, problems } = read(chunks);
          expect(problems).toEqual([]);
          expect(messages).toHaveLength(sent.length);
          sent.forEach((parts, i) => {
            expect(messages[i]!.equals(Buffer.concat(parts))).toBe(true);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('byte by byte', () => {
    const bytes = Buffer.concat([frame(0x81, text('one')), frame(0x81, Buffer.alloc(300, 7))]);
    const { messages } = read([...bytes].map((byte) => Buffer.from([byte])));
    expect(messages).toEqual([text('one'), Buffer.alloc(300, 7)]);
  });

  test('a ping between them changes nothing', () => {
    const { messages, problems } = read([
      Buffer.concat([frame(0x01, text('on')), frame(0x89, text('ping')), frame(0x80, text('e'))]),
    ]);
    expect(messages).toEqual([text('one')]);
    expect(problems).toEqual([]);
  });

  test.each<[string, Buffer, MessageProblem]>([
    ['a close', frame(0x88, Buffer.from([3, 232])), 'closed'],
    ['a reserved bit', frame(0xc1, text('x')), 'malformed'],
    ['an unknown opcode', frame(0x83, text('x')), 'malformed'],
    ['a continuation of nothing', frame(0x80, text('x')), 'malformed'],
    [
      'a new message within one',
      Buffer.concat([frame(0x01, text('a')), frame(0x81, text('b'))]),
      'malformed',
    ],
    ['a masked frame', Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5]), 'malformed'],
    ['a ping in several frames', frame(0x09, text('x')), 'malformed'],
    ['a long ping', frame(0x89, Buffer.alloc(126)), 'malformed'],
    ['what is no WebSocket', text('HTTP/1.1 200 OK\r\n\r\n'), 'malformed'],
    ['a message that is too long', frame(0x81, Buffer.alloc(2000)), 'too-long'],
    [
      'one that is too long in several frames',
      Buffer.concat([frame(0x01, Buffer.alloc(900)), frame(0x80, Buffer.alloc(900))]),
      'too-long',
    ],
    [
      'a length beyond all numbers',
      Buffer.from([0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255]),
      'too-long',
    ],
  ])('%s ends it, told once', (_name, bytes, problem) => {
    const { messages, problems } = read([bytes, frame(0x81, text('later'))], new FrameBuffers(), 1000);
    expect(messages).toEqual([]);
    expect(problems).toEqual([problem]);
  });
});

describe('buffers of snapshots', () => {
  test('are used again when they were given back, and never before', () => {
    const buffers = new FrameBuffers();
    const first = buffers.take(10_000);
    const second = buffers.take(10_000);
    expect(second.buffer).not.toBe(first.buffer);
    buffers.give(first);
    const third = buffers.take(10_500);
    expect(third.buffer).toBe(first.buffer);
    expect(third).toHaveLength(10_500);
    expect(buffers.take(10_000).buffer).not.toBe(first.buffer);
  });

  test('from elsewhere are left alone, and giving one back twice is giving it once', () => {
    const buffers = new FrameBuffers();
    const foreign = Buffer.alloc(10_000);
    buffers.give(foreign);
    expect(buffers.take(5000).buffer).not.toBe(foreign.buffer);
    const own = buffers.take(8000);
    buffers.give(own);
    buffers.give(own);
    expect(buffers.take(8000).buffer).toBe(own.buffer);
    expect(buffers.take(8000).buffer).not.toBe(own.buffer);
  });

  test('that are much too large are not taken for small snapshots', () => {
    const buffers = new FrameBuffers();
    const large = buffers.take(1_000_000);
    buffers.give(large);
    expect(buffers.take(1000).buffer).not.toBe(large.buffer);
  });
});
