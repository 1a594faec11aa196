import { type IncomingMessage, request } from 'node:http';
import type { ExportFormat } from '../../src/domain/export.ts';

export interface Downloaded {
  bytes: number;
  /** Lines; of Parquet whatever its bytes look like. */
  lines: number;
  seconds: number;
}

const NEW_LINE = 10;

/** All minutes from one instant to another (epoch ms), taken as fast as they come and kept nowhere. */
export async function download(
  port: number,
  format: ExportFormat,
  from: number,
  to: number,
): Promise<Downloaded> {
  const begun = performance.now();
  const path = `/api/v1/export?what=facts&tier=minute&format=${format}&from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path }, resolve).on('error', reject).end();
  });
  let bytes = 0;
  let lines = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length;
    for (let at = piece.indexOf(NEW_LINE); at >= 0; at = piece.indexOf(NEW_LINE, at + 1)) lines++;
  }
  if (answer.statusCode !== 200 || !answer.complete) {
    throw new Error(`an export ended with status ${answer.statusCode} after ${bytes} bytes`);
  }
  return { bytes, lines, seconds: (performance.now() - begun) / 1000 };
}
