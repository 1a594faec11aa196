import fc from 'fast-check';
import { expect, it } from 'vitest';
import { connectionRow, v1Body, v1Record, v2Body } from '../../../test/support/bodies.ts';
import type { SyncPackage } from '../../protocol/v1.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { Merger } from './merger.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEPT = 20 * DAY;
const START = Date.UTC(2026, 5, 1);

const step = fc.oneof(
  fc.record({
    what: fc.constant('tell' as const),
    connection: fc.nat(4),
    grow: fc.nat(50),
    /** Minutes that it lay in the journal; below 0, that the clock there is ahead. */
    late: fc.oneof(fc.constant(0), fc.integer({ min: -10, max: 0 }), fc.nat(60 * 24 * 40)),
    close: fc.boolean(),
  }),
  fc.constant({ what: 'again' as const }),
  fc.record({ what: fc.constant('v1' as const), connection: fc.nat(1), grow: fc.nat(3) }),
  fc.constant({ what: 'v1 again' as const }),
  fc.record({
    what: fc.constant('pass' as const),
    ms: fc.oneof(fc.nat(2 * HOUR), fc.nat(2 * DAY), fc.integer({ min: 15 * DAY, max: 25 * DAY })),
  }),
  fc.constant({ what: 'flush' as const }),
  fc.record({ what: fc.constant('prune' as const), flushed: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Known {
  id: string;
  value: number;
  closed: boolean;
  /** `[minute, value]`, as they were sent. */
  told: [number, number][];
  toldAt: number;
}

/** A journal and an agent of the original, what they told, and what was booked of it. */
class World {
  now = START;
  readonly merger = new Merger({ path: ':memory:', now: () => this.now, reserveLocal: false });
  readonly #journal: Known[] = [];
  readonly #original: Known[] = [];
  readonly #booked = new Map<string, number>();
  #head: string | null = null;
  removed = 0;

  take(one: Step): void {
    if (one.what === 'pass') this.now += one.ms;
    else if (one.what === 'tell') this.#tell(one);
    else if (one.what === 'again') this.#deliver(this.#journal, 1);
    else if (one.what === 'v1') this.#tellOriginal(one);
    else if (one.what === 'v1 again') this.#deliverOriginal(this.#original);
    else if (one.what === 'flush') this.#flush();
    else {
      if (one.flushed) this.#flush();
      this.#prune();
    }
    this.#hold();
  }

  /** The connection that is in a place now; one that is over makes room for another. */
  #at(list: Known[], place: string, isOver: (known: Known) => boolean): Known {
    const last = list.findLast(({ id }) => id.startsWith(`${place} `));
    if (last !== undefined && !isOver(last)) return last;
    const made = { id: `${place} ${list.length}`, value: 0, closed: false, told: [], toldAt: 0 };
    list.push(made);
    return made;
  }

  #tell(one: { connection: number; grow: number; late: number; close: boolean }): void {
    const known = this.#at(this.#journal, `v2-${one.connection}`, ({ closed }) => closed);
    const last = known.told.at(-1)?.[0] ?? 0;
    known.value += one.grow;
    known.closed = one.close;
    const sample: [number, number] = [Math.max(last, Math.floor(this.now / 60_000) - one.late), known.value];
    this.#deliver([{ ...known, told: [sample] }], 0);
    known.told.push(sample);
  }

  #deliver(all: readonly Known[], flags: number): void {
    const samples = all.flatMap(({ told }, index) => told.map(([at, down]) => ({ index, at, down })));
    samples.sort((a, b) => a.at - b.at);
    const request = v2Body('a', {
      stream: 'stream-1',
      boot: 'boot-0001',
      prev: this.#head,
      sent_at: this.now,
      strings: ['', ...all.map(({ id }) => id)],
      connections: all.map((_, index) => connectionRow(index + 1, 0)),
      samples: samples.map(({ index, at, down }) => [index + 1, at, down, 0, 0, 0, flags]),
      closed: all.flatMap(({ closed }, index) => (closed ? [[index + 1, this.now]] : [])),
    }) as SyncRequest;
    expect(this.merger.v2(request, null, false).ok).toBe(true);
    this.#head = request.batch;
  }

  /** It goes on telling of a connection, moved or not, or has not told of it for so long that it is over. */
  #tellOriginal(one: { connection: number; grow: number }): void {
    const known = this.#at(
      this.#original,
      `v1-${one.connection}`,
      ({ toldAt }) => this.now - toldAt > KEPT - 2 * HOUR,
    );
    known.value += one.grow;
    known.told = [[this.now, known.value]];
    known.toldAt = this.now;
    this.#deliverOriginal([known]);
  }

  #deliverOriginal(all: readonly Known[]): void {
    const records = all.map(({ id, value, told }) =>
      v1Record(id, value, { last_updated: new Date(told[0]?.[0] ?? 0).toISOString() }),
    );
    this.merger.v1(v1Body('old', records) as SyncPackage, null);
    this.merger.tidy();
  }

  #flush(): void {
    this.now += 1;
    this.merger.seal();
    for (const [id, down] of this.#pending()) this.#booked.set(id, (this.#booked.get(id) ?? 0) + down);
    for (const { lot } of this.merger.lots.sealed()) this.merger.lots.flushed(lot);
    this.merger.lots.backedUp({ lot: 1e9, at: this.now });
    while (this.merger.lots.forgetSome(this.now).more);
  }

  #prune(): void {
    let part: ReturnType<Merger['beginPruning']> | null = this.merger.beginPruning(KEPT);
    while (part !== null) {
      const { removed, next } = this.merger.pruneSome(part);
      this.removed += removed;
      part = next;
    }
  }

  /** Bytes of facts that are kept, by connection; throws where one has no record any more. */
  #pending(): Map<string, number> {
    const sums = new Map<string, number>();
    const rows = this.merger.db
      .prepare(
        'SELECT p.conn, p.down, c.id FROM pending_facts p LEFT JOIN connections c ON c.num = p.conn WHERE p.conn > 0',
      )
      .all() as { conn: number; down: number; id: string | null }[];
    for (const { conn, down, id } of rows) {
      expect(id, `record of fact ${conn}`).not.toBeNull();
      sums.set(id ?? '', (sums.get(id ?? '') ?? 0) + down);
    }
    return sums;
  }

  #hold(): void {
    const { db } = this.merger;
    const pending = this.#pending();
    for (const { id, value } of [...this.#journal, ...this.#original]) {
      expect((pending.get(id) ?? 0) + (this.#booked.get(id) ?? 0), id).toBe(value);
    }
    const sum = (sql: string) => db.prepare(sql).pluck().get();
    const records = sum('SELECT count(*) FROM connections');
    expect(sum('SELECT total(records) FROM agents')).toBe(records);
    expect(sum('SELECT count(*) FROM bases WHERE conn NOT IN (SELECT num FROM connections)')).toBe(0);
    expect(this.merger.retention.sums().records).toBe(this.removed);
    expect(Number(sum("SELECT value FROM meta WHERE key = 'next_num'")) - 1).toBe(
      (records as number) + this.removed,
    );
  }
}

it('books every byte once, whatever is removed, told again or told late', () => {
  let removed = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const world = new World();
      try {
        for (const one of steps) world.take(one);
        removed += world.removed;
      } finally {
        world.merger.close();
      }
    }),
    { numRuns: 150 },
  );
  // Else it would say nothing.
  expect(removed).toBeGreaterThan(50);
}, 60_000);
