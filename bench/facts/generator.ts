import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { Random } from '../../src/simulator/random.ts';
import { zipf } from '../../src/simulator/weighted.ts';
import { Batch } from './batch.ts';
import { byBusyness, type World } from './world.ts';

/** What the data is; the same values give the same data on every machine. */
export interface Recipe {
  seed: number;
  connections: number;
  days: number;
  /** Minute since the epoch at which it begins, a whole day in UTC; nothing else depends on it. */
  firstMinute: number;
}

export const HOUR = 60;
export const DAY = 24 * HOUR;

/** One connection in ten lives long: of three of these, one for 4 hours and two for 10 minutes. */
const LONG_SHARE = 0.1;
const LONG_OF_LONG = 1 / 3;
const FOUR_HOURS_MS = 4 * HOUR * MINUTE_MS;
const TEN_MINUTES_MS = 10 * MINUTE_MS;
const NAMELESS_SHARE = 0.03;
const OVERLAY_SHARE = 0.01;
/** Half a TiB: no connection of a household moves more. */
const MOST_BYTES = 2 ** 39;

/** How busy a minute is: the night has a tenth of the evening, a day of the weekend a quarter more. */
function busyness(minute: number): number {
  const ofDay = (minute % DAY) / DAY;
  const day = Math.floor(minute / DAY) % 7;
  const rhythm = 0.55 - 0.45 * Math.cos(2 * Math.PI * (ofDay - 3 / 24));
  return rhythm * (day >= 5 ? 1.25 : 1);
}

/** How many connections begin before each minute: whole numbers that end at exactly `connections`. */
function arrivals({ connections, days }: Recipe): Float64Array {
  const sums = new Float64Array(days * DAY + 1);
  for (let minute = 0; minute < days * DAY; minute++) sums[minute + 1] = sums[minute]! + busyness(minute);
  const total = sums.at(-1)!;
  return sums.map((sum) => Math.floor((connections * sum) / total));
}

/** Minutes since the recipe's first one. */
export interface GeneratedHour {
  from: number;
  to: number;
  /** Connections that begin in it, in the order of their begin. */
  begun: Batch;
  /** Number of the first of them; they are numbered from 1 on. */
  firstNumber: number;
}

/**
 * All connections, an hour at a time: memory holds one hour, whatever the size. Popular are few: hosts, nodes and
 * rules follow Zipf's law.
 */
export function* generate(recipe: Recipe, world: World): Generator<GeneratedHour> {
  const random = new Random(`connections-${recipe.seed}`);
  const draw = drawing(random, world);
  const begun = arrivals(recipe);
  for (let from = 0; from < recipe.days * DAY; from += HOUR) {
    const batch = new Batch(begun[from + HOUR]! - begun[from]!);
    for (let minute = from; minute < from + HOUR; minute++) {
      const count = begun[minute + 1]! - begun[minute]!;
      for (let i = 0; i < count; i++) {
        // In the order of their begin, like everything that is listed as it happens.
        const offset = Math.floor(((i + random.unit()) / count) * MINUTE_MS);
        draw(batch, (recipe.firstMinute + minute) * MINUTE_MS + offset);
      }
    }
    yield { from, to: from + HOUR, begun: batch, firstNumber: begun[from]! + 1 };
  }
}

function drawing(random: Random, world: World): (batch: Batch, startMs: number) => void {
  const devices = byBusyness(world.devices);
  const hosts = zipf(world.hosts.map((_, place) => place).slice(1));
  const lifeMs = () => {
    if (!random.chance(LONG_SHARE)) return Math.min(59_000, random.logNormal(6000, 1));
    return random.chance(LONG_OF_LONG) ? FOUR_HOURS_MS : TEN_MINUTES_MS;
  };
  return (batch, startMs) => {
    const device = devices.draw(random);
    const owner = world.devices[device]!;
    const host = random.chance(NAMELESS_SHARE) ? 0 : hosts.draw(random);
    const { firstAddress, addresses, rule } = world.hosts[host]!;
    const { firstChain, proxied } = world.rules[rule]!;
    const life = Math.floor(lifeMs());
    const firstMinute = Math.floor(startMs / MINUTE_MS);
    const minutes = Math.floor((startMs + life) / MINUTE_MS) - firstMinute + 1;
    const typical = minutes > 20 ? 40e6 : minutes > 2 ? 3e6 : 8e3;
    // A connection that lists a minute has moved something in it.
    const bytes = (median: number) =>
      Math.floor(Math.min(MOST_BYTES, random.logNormal(median, 1.8))) + minutes;
    batch.add({
      startMs,
      lifeMs: life,
      firstMinute,
      minutes,
      device,
      host,
      address: firstAddress + random.between(0, addresses - 1),
      chain: proxied ? firstChain + world.agents[owner.agent]!.nodes.draw(random) : firstChain,
      program: random.pick(owner.programs),
      overlay: random.chance(OVERLAY_SHARE),
      download: bytes(typical),
      upload: bytes(typical / 8),
    });
  };
}
