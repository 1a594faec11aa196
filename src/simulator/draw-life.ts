import { type Flow, NO_FLOW, type Plan } from './plan.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import { KIND_FACTORS, type SiteKind } from './sites.ts';

/** How a connection will go: how long, how its bytes move, and what moves in its last instant. */
export interface Life {
  ms: number;
  plan: Plan;
  lateDownload: number;
  lateUpload: number;
}

const HOUR = 3_600_000;
/** A UDP entry stays so long after its last datagram. */
const UDP_TAIL_MS = 60_000;
/** No line is faster: 400 Mbit/s. */
const MOST_BYTES_PER_MS = 50_000;

export function drawLife(random: Random, profile: Profile, kind: SiteKind, network: 'tcp' | 'udp'): Life {
  if (network === 'udp') return udpLife(random, profile, kind);
  if (random.chance(profile.longShare)) return longLife(random);
  const { medianMs, sigma } = profile.tcpLifetime;
  const ms = Math.min(24 * HOUR, random.logNormal(medianMs * KIND_FACTORS[kind].life, sigma));
  // Half-closed ones stay listed long after the last byte.
  const activeMs = random.chance(0.04) ? ms * 0.2 : ms;
  return life(random, profile, kind, ms, activeMs);
}

function udpLife(random: Random, profile: Profile, kind: SiteKind): Life {
  const activeMs = random.chance(0.02) ? random.between(HOUR, 6 * HOUR) : random.between(1000, 30_000);
  return { ...life(random, profile, kind, activeMs + UDP_TAIL_MS, activeMs), lateDownload: 0, lateUpload: 0 };
}

/** Hours: tiny keep-alives (IM, MQTT, SSH), a sudden burst after a long flat time, or nothing at all. */
function longLife(random: Random): Life {
  const ms = random.between(HOUR, 8 * HOUR);
  const steps = Math.ceil(ms / random.pick([30_000, 60_000, 300_000]));
  const beats: Flow = { shape: 'steps', bytes: steps * 87, delayMs: 0, overMs: ms, steps };
  const burst: Flow = { shape: 'even', bytes: 20_000_000, delayMs: ms / 2, overMs: 20_000, steps: 1 };
  const download = random.pick([beats, beats, NO_FLOW, burst]);
  const upload = download === NO_FLOW ? NO_FLOW : beats;
  return { ms, plan: { download, upload }, lateDownload: 0, lateUpload: 0 };
}

function life(random: Random, profile: Profile, kind: SiteKind, ms: number, activeMs: number): Life {
  const factor = KIND_FACTORS[kind].bytes;
  const most = Math.ceil(activeMs * MOST_BYTES_PER_MS);
  const draw = ({ median, sigma }: { median: number; sigma: number }) =>
    Math.floor(Math.min(most, random.logNormal(median, sigma)));
  const download = Math.min(most, draw(profile.download) * factor);
  // Little goes up for all that comes down.
  const upload = draw(profile.upload) + Math.floor(download / 60);
  const late = random.unit() * 2 * profile.lateShare;
  const lateDownload = Math.floor(download * late);
  const lateUpload = Math.floor(upload * late);
  const shape = random.pick(['front', 'front', 'even', 'steps'] as const);
  const steps = 1 + Math.ceil(activeMs / random.pick([200, 1000, 5000]));
  const flow = (bytes: number): Flow => ({
    shape,
    bytes,
    delayMs: Math.min(30, ms / 10),
    overMs: activeMs * 0.9,
    steps,
  });
  return {
    ms,
    plan: { download: flow(download - lateDownload), upload: flow(upload - lateUpload) },
    lateDownload,
    lateUpload,
  };
}
