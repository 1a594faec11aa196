import { WebSocket } from 'ws';

/**
 * The baseline: reads the same feed with `JSON.parse` and a comparison by id, and answers with the CPU of its
 * process a snapshot for those two alone; receiving is not counted, nor is anything written.
 *
 * `node bench/agent/plain.ts PORT INTERVAL SNAPSHOTS`
 */
const [port, interval, wanted] = process.argv.slice(2).map(Number) as [number, number, number];
/** Not measured: the first snapshots, before the code is compiled and the heap has its size. */
const WARM_UP = 5;

interface Counters {
  id: string;
  upload: number;
  download: number;
}

let known = new Map<string, Counters>();
let changes = 0;

function compare(bytes: Buffer): void {
  const frame = JSON.parse(bytes.toString('utf8')) as { connections: Counters[] };
  const next = new Map<string, Counters>();
  for (const record of frame.connections) {
    const old = known.get(record.id);
    if (old === undefined || old.upload !== record.upload || old.download !== record.download) changes++;
    next.set(record.id, record);
  }
  for (const id of known.keys()) if (!next.has(id)) changes++;
  known = next;
}

let frames = 0;
let cpu = 0;
const socket = new WebSocket(`ws://127.0.0.1:${port}/connections?interval=${interval}`, {
  perMessageDeflate: false,
  maxPayload: 2 ** 28,
  skipUTF8Validation: true,
});
socket.on('message', (data) => {
  const before = process.cpuUsage();
  compare(data as Buffer);
  const used = process.cpuUsage(before);
  if (++frames > WARM_UP) cpu += (used.user + used.system) / 1000;
  if (frames < WARM_UP + wanted) return;
  socket.terminate();
  process.send?.({ cpuMs: cpu / wanted, changes, listed: known.size });
});
process.on('disconnect', () => process.exit());
