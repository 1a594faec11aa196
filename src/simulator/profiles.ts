import type { Profile } from './profile.ts';

const NEVER = Number.POSITIVE_INFINITY;
const HOUR = 3_600_000;

/** A router or TUN gateway of a busy household. Assumed, not measured, but of the right order. */
export const ROUTER: Profile = {
  steady: 0,
  steadyBytesPerSecond: 0,
  steadyLifetimeMs: NEVER,
  arrivals: 4,
  hourly: null,
  pageEveryMs: 20_000,
  pageConnections: [30, 120],
  invisibleShare: 0.25,
  lateShare: 0.02,
  udpShare: 0.3,
  tcpLifetime: { medianMs: 12_000, sigma: 2 },
  longShare: 0.03,
  download: { median: 6000, sigma: 2.5 },
  upload: { median: 1500, sigma: 1.8 },
  hopShare: 0.05,
  dnsPerSecond: 0.2,
  providerUpdateEveryMs: 6 * HOUR,
  speedTestEveryMs: 24 * HOUR,
  tornShare: 0.01,
  types: { Tun: 55, Redir: 15, TProxy: 20, Socks5: 4, HTTPS: 3, HTTP: 1 },
  dnsModes: { 'fake-ip': 65, normal: 25, 'redir-host': 9, hosts: 1 },
  addresslessShare: 0.45,
  devices: 20,
  nodes: 30,
  hosts: 2000,
  processes: false,
};

/** One person's computer: programs with names and paths instead of devices. */
export const DESKTOP: Profile = {
  ...ROUTER,
  arrivals: 1.5,
  pageEveryMs: 45_000,
  udpShare: 0.15,
  types: { HTTPS: 45, Tun: 40, Socks5: 10, HTTP: 2 },
  dnsModes: { 'fake-ip': 50, normal: 50 },
  addresslessShare: 0.5,
  devices: 1,
  nodes: 20,
  hosts: 500,
  processes: true,
};

/** By the hour of the day: asleep at night, most awake in the evening. */
export const HOUSEHOLD_HOURS: readonly number[] = [
  0.25, 0.12, 0.06, 0.05, 0.05, 0.08, 0.2, 0.45, 0.5, 0.45, 0.45, 0.5, 0.65, 0.6, 0.5, 0.5, 0.55, 0.65, 0.8,
  0.95, 1, 1, 0.85, 0.5,
];

/**
 * A household that can be simulated for weeks and sampled rarely: fewer and longer connections than a router
 * really has, so that a demo of many days fits into seconds and most bytes are still seen moving.
 */
export const HOUSEHOLD: Profile = {
  ...ROUTER,
  arrivals: 0.12,
  hourly: HOUSEHOLD_HOURS,
  pageEveryMs: 20 * 60_000,
  pageConnections: [5, 25],
  tcpLifetime: { medianMs: 60_000, sigma: 1.4 },
  download: { median: 15_000, sigma: 2.5 },
  longShare: 0.02,
  dnsPerSecond: 1 / 600,
  devices: 12,
  nodes: 16,
  hosts: 400,
};

/**
 * For load: exactly `connections` at any time, every one with other counters in every snapshot, and nothing else.
 * More is added by spreading it: `{ ...steadyLoad(1000), arrivals: 50, invisibleShare: 1 }` adds 50 connections a
 * second that are never listed; a finite `steadyLifetimeMs` adds churn without changing the number.
 */
export function steadyLoad(connections: number): Profile {
  return {
    ...ROUTER,
    steady: connections,
    steadyBytesPerSecond: 20_000,
    arrivals: 0,
    pageEveryMs: NEVER,
    dnsPerSecond: 0,
    providerUpdateEveryMs: NEVER,
    speedTestEveryMs: NEVER,
    hopShare: 0,
    tornShare: 0,
    lateShare: 0,
    udpShare: 0.2,
  };
}
