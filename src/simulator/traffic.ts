import type { SimulatedCore } from './core.ts';
import type { CoreFields } from './core-fields.ts';
import type { OpenOptions } from './core-options.ts';
import { FieldDrawer } from './draw-fields.ts';
import { drawLife, type Life } from './draw-life.ts';
import type { EventQueue } from './event-queue.ts';
import type { Device } from './household.ts';
import { type Flow, NO_FLOW } from './plan.ts';
import type { Profile } from './profile.ts';
import { PROVIDERS } from './proxies.ts';
import type { Random } from './random.ts';
import { type Site, World } from './world.ts';

const SECOND = 1000;
const HOUR = 3_600_000;
const REJECT_DROP_MS = 60_000;
const NONE = { lateDownload: 0, lateUpload: 0 };

/** What happens by itself: plans the openings and closings of a profile, and opens what they bring. */
export class Traffic {
  readonly #core: SimulatedCore;
  readonly #events: EventQueue;
  readonly #profile: Profile;
  readonly #random: Random;
  readonly #world: World;
  readonly #drawer: FieldDrawer;
  /** Ids of the connections that are held open all the time. */
  readonly #steady = new Set<string>();
  readonly #busiest: number;

  constructor(core: SimulatedCore, events: EventQueue, profile: Profile, random: Random) {
    this.#core = core;
    this.#events = events;
    this.#profile = profile;
    this.#random = random;
    this.#world = new World(profile, random);
    this.#drawer = new FieldDrawer(this.#world, profile, random);
    this.#busiest = Math.max(...(profile.hourly ?? [1]));
  }

  /** Begins with an empty table, `afterMs` from now: after a restart programs come back one by one. */
  begin(afterMs = 0): void {
    const profile = this.#profile;
    this.#steady.clear();
    const isFirst = this.#core.truth.runs.length === 1;
    for (let i = 0; i < profile.steady; i++) {
      if (isFirst) this.#openSteady();
      else this.#after(afterMs + this.#random.between(100, SECOND), () => this.#openSteady());
    }
    this.#repeat(afterMs, SECOND / (profile.arrivals * this.#busiest), () => this.#arrive());
    this.#repeat(afterMs, profile.pageEveryMs / this.#busiest, () => this.#loadPage());
    this.#repeat(afterMs, profile.providerUpdateEveryMs, () => this.#updateProvider());
    this.#repeat(afterMs, profile.speedTestEveryMs, () => this.#testSpeed());
    if (this.#hasInner) this.#repeat(afterMs, SECOND / profile.dnsPerSecond, () => this.#askDns());
  }

  switchProxy(group: string, node: string): void {
    this.#world.proxies.switch(group, node);
  }

  /** Whether the next message reads its counters late. */
  tearsNext(): boolean {
    return this.#profile.tornShare > 0 && this.#random.chance(this.#profile.tornShare);
  }

  /** A connection was closed from outside: what is held open all the time comes back within a second. */
  closed(id: string): void {
    if (this.#steady.delete(id)) this.#after(this.#random.between(200, SECOND), () => this.#openSteady());
  }

  get #hasInner(): boolean {
    return this.#core.dialect !== 'sing-box' && this.#core.dialect !== 'clash-rs';
  }

  #arrive(): void {
    if (!this.#awake()) return;
    const { invisibleShare } = this.#profile;
    const device = this.#world.device.draw(this.#random);
    if (this.#random.chance(invisibleShare)) this.#flash(this.#world.popular.draw(this.#random), device);
    else this.#visit(this.#world.popular.draw(this.#random), device);
  }

  /** 30–120 connections of one device within a second. */
  #loadPage(): void {
    if (!this.#awake()) return;
    const [least, most] = this.#profile.pageConnections;
    const device = this.#world.device.draw(this.#random);
    for (let left = this.#random.between(least, most); left > 0; left--) {
      const site = this.#world.popular.draw(this.#random);
      this.#after(this.#random.between(0, SECOND), () => this.#visit(site, device));
    }
  }

  #visit(site: Site, device: Device): void {
    const random = this.#random;
    const udp = site.kind !== 'ads' && random.chance(this.#profile.udpShare);
    const fields = this.#drawer.fields(site, device, udp ? 'udp' : 'tcp');
    if (fields.chains?.[0] === 'REJECT') {
      this.#live(fields, { upload: random.chance(0.3) ? 517 : 0 }, { ms: random.between(1, 20), ...NONE });
      return;
    }
    if (fields.chains?.[0] === 'REJECT-DROP') {
      this.#live(fields, {}, { ms: REJECT_DROP_MS, ...NONE });
      return;
    }
    const life = drawLife(random, this.#profile, site.kind, udp ? 'udp' : 'tcp');
    // One socket may serve many peers: the entry shows the first.
    const destinations =
      udp && random.chance(0.3)
        ? [fields.host || site.address, this.#drawer.peer(), this.#drawer.peer()]
        : [];
    const id = this.#live(fields, { plan: life.plan, destinations }, life);
    if (id !== null && this.#hasInner && fields.remoteDestination !== '' && fields.chains?.[0] !== 'DIRECT')
      if (random.chance(this.#profile.hopShare)) this.#hop(id, fields);
  }

  /** Lives between two snapshots: never listed. */
  #flash(site: Site, device: Device): void {
    if (!this.#core.accepting) return;
    const fields = this.#drawer.fields(site, device, 'tcp');
    const rejected = fields.chains?.[0]?.startsWith('REJECT') ?? false;
    const download = rejected ? 0 : Math.floor(this.#random.logNormal(2000, 1.5));
    const upload = rejected ? 0 : Math.floor(this.#random.logNormal(700, 1));
    this.#core.open(fields, { listed: false, download, upload });
  }

  /** The way to an exit leads through another node: a second entry that carries the same bytes. */
  #hop(id: string, fields: Partial<CoreFields>): void {
    const entry = this.#world.proxies.nodes[0]!;
    this.#core.open(
      {
        ...inner(fields.remoteDestination ?? '', '443'),
        chains: [entry.name],
        providerChains: [entry.provider],
        remoteDestination: entry.server,
      },
      { mirrors: id },
    );
  }

  #askDns(): void {
    const node = this.#random.pick(this.#world.proxies.nodes);
    const plan = { download: even(180, 40), upload: even(60, 5) };
    this.#live(
      {
        ...inner('8.8.8.8', '53'),
        network: 'udp',
        chains: [node.name],
        providerChains: [node.provider],
        specialProxy: node.name,
        remoteDestination: node.server,
      },
      { plan },
      { ms: this.#random.between(50, 500), ...NONE },
    );
  }

  /** The core fetches the list itself (counted), takes it over, and ends what went through the old one. */
  #updateProvider(): void {
    const provider = this.#random.pick(PROVIDERS);
    const fields = { ...inner('', '443'), host: `sub.${provider}.example`, process: 'mihomo', rule: 'Match' };
    this.#live(
      fields,
      { plan: { download: even(300_000, 1500), upload: even(900, 100) } },
      { ms: 2000, ...NONE },
    );
    this.#after(2000, () => this.#core.closeProvider(provider));
  }

  #testSpeed(): void {
    const site = this.#random.pick(this.#world.sitesOf('download'));
    const fields = this.#drawer.fields(site, this.#world.device.draw(this.#random), 'tcp');
    const download: Flow = { shape: 'rate', bytesPerSecond: 125_000_000 };
    this.#live(fields, { plan: { download, upload: NO_FLOW } }, { ms: 10 * SECOND, ...NONE });
  }

  #openSteady(): void {
    const { steadyBytesPerSecond, steadyLifetimeMs, lateShare } = this.#profile;
    if (!this.#core.accepting) {
      this.#after(SECOND, () => this.#openSteady());
      return;
    }
    const random = this.#random;
    const site = this.#world.popular.draw(random);
    const udp = random.chance(this.#profile.udpShare);
    const device = this.#world.device.draw(random);
    const fields = this.#drawer.fields(site, device, udp ? 'udp' : 'tcp');
    const speed = steadyBytesPerSecond * (0.5 + random.unit());
    const plan = {
      download: { shape: 'rate', bytesPerSecond: speed } as Flow,
      upload: { shape: 'rate', bytesPerSecond: speed / 10 } as Flow,
    };
    const id = this.#core.open(fields, { plan });
    this.#steady.add(id);
    if (steadyLifetimeMs === Number.POSITIVE_INFINITY) return;
    const ms = random.exponential(steadyLifetimeMs);
    const lateDownload = Math.floor((lateShare * speed * ms) / SECOND);
    this.#after(ms, () => {
      // Closed from outside before: its successor is on the way.
      if (!this.#steady.delete(id)) return;
      this.#core.close(id, { lateDownload, lateUpload: Math.floor(lateDownload / 10) });
      this.#openSteady();
    });
  }

  /** Opens a connection that closes by itself; `null` when the core takes none at the moment. */
  #live(fields: Partial<CoreFields>, options: OpenOptions, life: Omit<Life, 'plan'>): string | null {
    if (!this.#core.accepting) return null;
    const id = this.#core.open(fields, options);
    this.#after(life.ms, () => this.#core.close(id, life));
    return id;
  }

  #after(ms: number, action: () => void): void {
    this.#events.schedule(this.#core.now + ms, action);
  }

  /** Again and again, `meanMs` apart on average; never when that is infinite. */
  #repeat(afterMs: number, meanMs: number, action: () => void): void {
    if (!Number.isFinite(meanMs)) return;
    this.#after(afterMs + this.#random.exponential(meanMs), () => {
      action();
      this.#repeat(0, meanMs, action);
    });
  }

  /** Thins out what was planned for the busiest hour. */
  #awake(): boolean {
    const { hourly } = this.#profile;
    if (hourly === null) return true;
    const local = this.#core.clock + this.#core.zoneOffsetMinutes * 60_000;
    const hour = Math.floor(local / HOUR) % 24;
    return this.#random.chance((hourly[hour] ?? 1) / this.#busiest);
  }
}

/** An entry that the core makes for itself: no source, no inbound, no rule. */
function inner(destinationIP: string, destinationPort: string): Partial<CoreFields> {
  return {
    type: 'Inner',
    sourceIP: '',
    sourcePort: '0',
    inboundIP: '',
    inboundPort: '0',
    inboundName: '',
    destinationIP,
    destinationPort,
    rule: '',
    rulePayload: '',
  };
}

function even(bytes: number, overMs: number): Flow {
  return { shape: 'even', bytes, delayMs: 0, overMs, steps: 1 };
}
