/**
 * What happens by itself in a simulated core: rates and distributions, plain data. Times in milliseconds, rates per
 * second of simulated time, shares 0–1, weights relative.
 */
export interface Profile {
  /** Connections held open all the time, each replaced in the instant it closes, all moving without pause. */
  steady: number;
  /** Bytes a second of each of them, downloaded; a tenth of it goes up. */
  steadyBytesPerSecond: number;
  /** Mean life of each of them; `Infinity`: they stay. */
  steadyLifetimeMs: number;

  /** New connections a second when the day's rhythm is at 1. */
  arrivals: number;
  /** 24 factors for the hours of the core's local day, or `null` for no rhythm. */
  hourly: readonly number[] | null;
  /** Mean time between page loads, each a burst of `pageConnections` (least, most) within a second. */
  pageEveryMs: number;
  pageConnections: readonly [number, number];
  /** Share of the arrivals that live between two snapshots and are never listed. */
  invisibleShare: number;
  /** Share of a connection's bytes that move in the instant of its close. */
  lateShare: number;

  /** Share of UDP; each entry stays for 60 s after its last datagram. */
  udpShare: number;
  tcpLifetime: { medianMs: number; sigma: number };
  /** Share of TCP connections that stay for hours with tiny keep-alives or nothing at all. */
  longShare: number;
  download: { median: number; sigma: number };
  upload: { median: number; sigma: number };

  /** Share of proxied connections that go out through another node: each adds an uncounted `Inner` hop. */
  hopShare: number;
  /** DNS questions through a proxy, uncounted `Inner`, a second. */
  dnsPerSecond: number;
  /** Mean time between updates of a provider: the core's own download, and all connections through it end. */
  providerUpdateEveryMs: number;
  /** Mean time between speed tests: 1 Gbit/s for ten seconds. */
  speedTestEveryMs: number;
  /** Share of the messages whose counters are slightly ahead of their totals. */
  tornShare: number;

  /** Inbound kinds by weight. */
  types: Readonly<Record<string, number>>;
  dnsModes: Readonly<Record<string, number>>;
  /** Share of connections without an address. */
  addresslessShare: number;
  /** Size of the world: LAN devices, nodes, hosts that are visited. */
  devices: number;
  nodes: number;
  hosts: number;
  /** Local programs with names and paths (a desktop) instead of devices in the LAN. */
  processes: boolean;
}
