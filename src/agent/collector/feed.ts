import type { Component } from '../../common/component.ts';
import type { Logger } from '../../common/logger.ts';
import type { GapReason } from '../../domain/snapshot.ts';
import type { CoreTarget } from './core-target.ts';
import { type CoreVersion, takesInterval, UNKNOWN_CORE } from './core-version.ts';
import { BAD_ENOUGH, FEED_LIMITS, type FeedLimits, GOOD_ENOUGH } from './feed-limits.ts';
import type { FeedEvents, FeedOptions, FeedState } from './feed-options.ts';
import { FrameBuffers } from './frame-buffers.ts';
import { FrameSlot } from './frame-slot.ts';
import { introduce, REFUSED } from './introduction.ts';
import { Link } from './link.ts';
import { openPolling } from './poll-transport.ts';
import { Retry } from './retry.ts';
import { chooseInterval, DEFAULT_INTERVAL_MS } from './sampling.ts';
import { openStream } from './stream-transport.ts';
import type { TransportEnd } from './transport.ts';

const STATES = {
  'core-down': 'down',
  'tracker-down': 'down',
  stalled: 'stalled',
  unauthorized: 'unauthorized',
} as const satisfies Record<GapReason, FeedState>;

/** So often in a row the WebSocket is lost before it is open, although `/version` is answered: then it is polled. */
const UPGRADES_TRIED = 2;

/**
 * Keeps a feed of snapshots from the core, for ever, whatever the core does: it never gives up and never throws.
 *
 * At most one link is `#current`; its frames are delivered. A `#candidate` is opened beside it to change the interval
 * (or the transport) without a gap, and takes over when it has delivered and the current link still
 * does: so both were open to the same core process, and the core's run did not end in between.
 */
export class CoreFeed implements Component {
  readonly name = 'core feed';
  /** Attempts to get connected, and changes of interval or transport without a gap. */
  readonly counters = { connects: 0, switches: 0 };
  readonly #target: CoreTarget;
  readonly #interval: 'auto' | number;
  readonly #events: FeedEvents;
  readonly #log: Logger;
  readonly #limits: FeedLimits;
  readonly #now: () => number;
  readonly #monotonic: () => number;
  readonly #retry: Retry;
  readonly #buffers: FrameBuffers;
  readonly #slot: FrameSlot;
  #running = false;
  #state: FeedState = 'down';
  #core: CoreVersion = UNKNOWN_CORE;
  #clockOffsetMs = 0;
  #current: Link | undefined;
  #candidate: Link | undefined;
  #wanted: number;
  /** The core does not understand the interval as milliseconds (until the next connect). */
  #useDefault = false;
  #switchNotBefore = 0;
  #failedUpgrades = 0;
  #reason: GapReason | undefined;
  #everOpen = false;
  #lastFrameAt: number | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  #abort = () => {};

  constructor(options: FeedOptions) {
    this.#target = options.target;
    this.#interval = options.interval;
    this.#events = options.events;
    this.#log = options.logger;
    this.#limits = { ...FEED_LIMITS, ...options.limits };
    this.#now = options.now ?? Date.now;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#wanted = options.interval === 'auto' ? DEFAULT_INTERVAL_MS : options.interval;
    this.#retry = new Retry(this.#limits, options.random);
    this.#buffers = options.buffers ?? new FrameBuffers();
    this.#slot = new FrameSlot(this.#buffers, (bytes, receivedAt) => this.#deliver(bytes, receivedAt));
  }

  get state(): FeedState {
    return this.#state;
  }

  /** The core's version as `/version` last said; `''`: not known. */
  get version(): string {
    return this.#core.version;
  }

  /** Monotonic milliseconds of the last good frame. */
  get lastFrameAt(): number | undefined {
    return this.#lastFrameAt;
  }

  /** Milliseconds between two snapshots, now. */
  get interval(): number {
    return this.#current?.intervalMs ?? this.#wanted;
  }

  get polled(): boolean {
    return this.#current?.transport?.polled ?? false;
  }

  /** Frames that were never looked at because a newer one was there already. */
  get replaced(): number {
    return this.#slot.replaced;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#checkTimer = setInterval(() => this.#check(), this.#limits.checkMs);
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    clearInterval(this.#checkTimer);
    this.#retry.cancel();
    this.#abort();
    this.#slot.clear();
    this.#closeLinks();
    this.#state = 'down';
  }

  #connect(): void {
    this.counters.connects++;
    this.#abort = introduce(this.#target, this.#limits.answerMs, this.#now, (introduction) => {
      if (!introduction.ok) {
        this.#retryLater(introduction.reason, introduction.detail);
        return;
      }
      this.#core = introduction.core;
      this.#clockOffsetMs = introduction.clockOffsetMs;
      this.#useDefault = false;
      this.#current = this.#openLink(false);
    });
  }

  #openLink(polled: boolean): Link {
    const asked = !this.#useDefault && takesInterval(this.#core.kind) ? this.#wanted : undefined;
    const interval = polled ? this.#wanted : (asked ?? DEFAULT_INTERVAL_MS);
    const link = new Link(polled ? undefined : asked, interval, this.#monotonic());
    const events = {
      frame: (bytes: Buffer) => this.#received(link, bytes),
      ended: (end: TransportEnd) => this.#ended(link, end),
    };
    link.transport = polled
      ? openPolling(this.#target, interval, link.patience(this.#limits.silenceMs), events)
      : openStream(this.#target, asked, this.#buffers, events);
    return link;
  }

  #received(link: Link, bytes: Buffer): void {
    const now = this.#monotonic();
    link.frame(now);
    if (link === this.#candidate && link.frames >= 2) this.#takeOver(link);
    if (link !== this.#current) {
      this.#buffers.give(bytes);
      return;
    }
    if (link.frames === 1) this.#announce(link);
    this.#slot.put(bytes, now);
    if (link.ignoresInterval(now)) this.#fallBackToDefault();
    const next = this.#candidate;
    if (next !== undefined && next.frames > 0) this.#takeOver(next);
  }

  #announce(link: Link): void {
    const { version, kind } = this.#core;
    const polled = link.transport?.polled ?? false;
    this.#log.info({ version, kind, polled, interval: link.intervalMs }, 'feed of the core is open');
    this.#events.onOpen({
      version,
      kind,
      clockOffsetMs: this.#clockOffsetMs,
      fresh: !this.#everOpen,
      polled,
    });
    this.#everOpen = true;
    if (!polled) this.#failedUpgrades = 0;
  }

  #deliver(bytes: Buffer, receivedAt: number): void {
    const link = this.#current;
    if (link === undefined) {
      this.#buffers.give(bytes);
      return;
    }
    const verdict = this.#events.onFrame(bytes, receivedAt);
    if (!verdict.ok) {
      if (++link.badInARow >= BAD_ENOUGH)
        this.#lose('core-down', `no snapshots of a core: ${verdict.detail}`);
      return;
    }
    link.badInARow = 0;
    this.#reason = undefined;
    this.#state = 'connected';
    this.#lastFrameAt = receivedAt;
    if (++link.good === GOOD_ENOUGH) this.#retry.reset();
    if (this.#interval === 'auto') this.#wanted = chooseInterval(verdict.listed, this.#wanted);
    this.#considerSwitch(link);
  }

  /** Opens a candidate when the interval should be another one, or when polling has gone on for long. */
  #considerSwitch(link: Link): void {
    const now = this.#monotonic();
    if (this.#candidate !== undefined || now < this.#switchNotBefore || link !== this.#current) return;
    const polled = link.transport?.polled ?? false;
    const tryStream = polled && now - link.openedAt > this.#limits.pollingMs;
    const other = polled || link.asked !== undefined ? link.intervalMs !== this.#wanted : false;
    if (!tryStream && !other) return;
    this.#candidate = this.#openLink(polled && !tryStream);
  }

  #fallBackToDefault(): void {
    if (this.#useDefault) return;
    this.#useDefault = true;
    this.#log.warn({ asked: this.#wanted }, 'the core does not keep to the interval, its own is used');
    this.#candidate?.close();
    this.#candidate = this.#openLink(false);
  }

  #takeOver(link: Link): void {
    const before = this.#current;
    // What the old link has delivered comes before what the new one will.
    this.#slot.flush();
    if (link !== this.#candidate || before !== this.#current) return;
    this.counters.switches++;
    this.#candidate = undefined;
    this.#current = link;
    link.good = before?.good ?? 0;
    this.#switchNotBefore = this.#monotonic() + this.#limits.switchMs;
    const changed = before?.transport?.polled !== link.transport?.polled;
    before?.close();
    this.#log.info({ interval: link.intervalMs }, 'feed continues with another interval');
    if (changed) this.#announce(link);
  }

  #ended(link: Link, end: TransportEnd): void {
    if (link === this.#candidate) this.#dropCandidate();
    else if (link !== this.#current) return;
    else if (end.kind === 'unauthorized') this.#lose('unauthorized', REFUSED);
    else if (end.kind === 'silent') this.#lose('stalled', end.detail);
    else if (!link.transport?.polled && this.#isWithoutUpgrade(end)) {
      this.#log.warn({ detail: end.detail }, 'no WebSocket to the core, asking for each snapshot instead');
      this.#current = this.#openLink(true);
    } else this.#lose('core-down', end.detail);
  }

  /** Something answers but does not let the WebSocket through, or drops it every time before it is open. */
  #isWithoutUpgrade(end: TransportEnd & { kind: 'not-upgraded' | 'gone' }): boolean {
    if (end.kind === 'not-upgraded') return true;
    return !end.upgraded && ++this.#failedUpgrades >= UPGRADES_TRIED;
  }

  #dropCandidate(): void {
    this.#candidate?.close();
    this.#candidate = undefined;
    this.#switchNotBefore = this.#monotonic() + this.#limits.switchFailedMs;
  }

  #check(): void {
    const now = this.#monotonic();
    const { silenceMs } = this.#limits;
    const candidate = this.#candidate;
    if (candidate !== undefined && now - candidate.lastAt > candidate.patience(silenceMs))
      this.#dropCandidate();
    const link = this.#current;
    if (link === undefined) return;
    if (link.ignoresInterval(now)) this.#fallBackToDefault();
    // Polling has its own time limit for every request.
    if (link.transport?.polled || now - link.lastAt <= link.patience(silenceMs)) return;
    this.#lose('stalled', `no message for ${Math.round(now - link.lastAt)} ms`);
  }

  /** The current link is of no use any more. */
  #lose(reason: GapReason, detail: string): void {
    const link = this.#current;
    this.#slot.flush();
    if (link !== this.#current) return;
    this.#closeLinks();
    this.#retryLater(reason, detail);
  }

  #closeLinks(): void {
    this.#current?.close();
    this.#candidate?.close();
    this.#current = undefined;
    this.#candidate = undefined;
  }

  #retryLater(reason: GapReason, detail: string): void {
    if (!this.#running) return;
    this.#state = STATES[reason];
    if (this.#reason !== reason) {
      this.#reason = reason;
      this.#log.warn({ reason, detail }, 'no snapshots from the core');
      this.#events.onBroken(reason, detail);
    }
    this.#retry.schedule(reason, () => this.#connect());
  }
}
