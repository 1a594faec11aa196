import { performance } from 'node:perf_hooks';
import { SnapshotScanner } from '../src/agent/collector/scanner.ts';

/**
 * What a snapshot costs the collector, against JSON.parse and a comparison by id. Prints one JSON object: median
 * milliseconds a frame and their ratio, for a table of which all, some or no counters change.
 *
 * `node bench/scanner.ts [connections=10000] [frames=40]`
 */
const connections = Number(process.argv[2] ?? 10_000);
const frames = Number(process.argv[3] ?? 40);

let seed = 42;
/** A small linear congruential generator: the same frames on every machine. */
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

interface Row {
  head: string;
  upload: number;
  download: number;
  tail: string;
}

const hex = (digits: number) =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');

function newRow(i: number): Row {
  const id = `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  const metadata = {
    network: 'tcp',
    type: 'Tun',
    sourceIP: `192.168.1.${i % 60}`,
    destinationIP: i % 2 === 0 ? '' : `104.16.${i % 256}.${(i >> 8) % 256}`,
    sourceGeoIP: null,
    destinationGeoIP: i % 3 === 0 ? ['us'] : null,
    sourceIPASN: '',
    destinationIPASN: i % 3 === 0 ? '13335 CLOUDFLARENET' : '',
    sourcePort: String(1024 + (i % 60_000)),
    destinationPort: '443',
    inboundIP: '198.18.0.1',
    inboundPort: '7890',
    inboundName: 'DEFAULT-TUN',
    inboundUser: '',
    rematchName: '',
    host: `cdn${i % 997}.host-${i % 5000}.example.com`,
    dnsMode: 'fake-ip',
    uid: 0,
    process: '',
    processPath: '',
    specialProxy: '',
    specialRules: '',
    remoteDestination: '203.0.113.24',
    dscp: 0,
    sniffHost: '',
  };
  const tail = {
    start: '2026-07-02T09:14:03.120334+08:00',
    chains: ['🇭🇰 香港 01', '自动选择', '节点选择'],
    providerChains: ['airport-a', '', ''],
    rule: 'RuleSet',
    rulePayload: 'proxy-list',
  };
  return {
    head: `{"id":"${id}","metadata":${JSON.stringify(metadata)},"upload":`,
    upload: Math.floor(random() * 1e6),
    download: Math.floor(random() * 1e8),
    tail: `,${JSON.stringify(tail).slice(1)}`,
  };
}

function encode(rows: readonly Row[]): Buffer {
  let download = 0;
  let upload = 0;
  for (const row of rows) {
    download += row.download;
    upload += row.upload;
  }
  const list = rows.map((row) => `${row.head}${row.upload},"download":${row.download}${row.tail}`).join(',');
  return Buffer.from(
    `{"downloadTotal":${download},"uploadTotal":${upload},"connections":[${list}],"memory":0}\n`,
  );
}

type Step = (rows: Row[]) => void;

const STEPS: Record<string, Step> = {
  all_changed: (rows) => {
    for (const row of rows) {
      row.upload += 1 + Math.floor(random() * 1000);
      row.download += 1 + Math.floor(random() * 100_000);
    }
  },
  tenth_changed: (rows) => {
    for (const row of rows) if (random() < 0.1) row.download += 1400;
  },
  churn_5_percent: (rows) => {
    for (let i = 0; i < rows.length; i++) {
      if (random() < 0.05) rows[i] = newRow(i);
      else rows[i]!.download += 1400;
    }
  },
  shuffled: (rows) => {
    for (let i = rows.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [rows[i], rows[j]] = [rows[j]!, rows[i]!];
    }
    for (const row of rows) row.download += 1400;
  },
};

interface Counters {
  id: string;
  upload: number;
  download: number;
}

/** The plain way: parse all, look each up by id. */
class MapDiff {
  #known = new Map<string, Counters>();

  scan(bytes: Buffer): number {
    const frame = JSON.parse(bytes.toString('utf8')) as { connections: Counters[] };
    const next = new Map<string, Counters>();
    let changes = 0;
    for (const record of frame.connections) {
      const old = this.#known.get(record.id);
      if (old === undefined || old.upload !== record.upload || old.download !== record.download) changes++;
      next.set(record.id, record);
    }
    for (const id of this.#known.keys()) if (!next.has(id)) changes++;
    this.#known = next;
    return changes;
  }
}

const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (value: number) => Math.round(value * 1000) / 1000;

function run(step: Step): Record<string, number> {
  const rows = Array.from({ length: connections }, (_, i) => newRow(i));
  const scanner = new SnapshotScanner();
  const plain = new MapDiff();
  const scanned: number[] = [];
  const parsed: number[] = [];
  let bytes = 0;
  let first = 0;
  for (let i = 0; i < frames + 5; i++) {
    if (i > 0) step(rows);
    const frame = encode(rows);
    bytes = frame.length;
    const a = performance.now();
    const outcome = scanner.scan(frame, i);
    const b = performance.now();
    const changes = plain.scan(frame);
    const c = performance.now();
    if (!outcome.ok) throw new Error(outcome.problem);
    const { added, changed, removed } = outcome.diff;
    if (added.length + changed.length + removed.length !== changes) throw new Error('the two disagree');
    if (i === 0) first = b - a;
    if (i < 5) continue;
    scanned.push(b - a);
    parsed.push(c - b);
  }
  return {
    frame_bytes: bytes,
    first_frame_ms: round(first),
    scanner_ms: round(median(scanned)),
    scanner_max_ms: round(Math.max(...scanned)),
    parse_and_map_ms: round(median(parsed)),
    ratio: round(median(scanned) / median(parsed)),
  };
}

const results = Object.fromEntries(Object.entries(STEPS).map(([name, step]) => [name, run(step)]));
console.log(
  JSON.stringify(
    {
      connections,
      frames,
      node: process.version,
      rss_mb: Math.round(process.memoryUsage().rss / 2 ** 20),
      results,
    },
    null,
    2,
  ),
);
