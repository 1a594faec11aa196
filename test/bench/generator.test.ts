import { describe, expect, it } from 'vitest';
import { arrivalOf } from '../../bench/facts/arrival.ts';
import type { Generated } from '../../bench/facts/batch.ts';
import { DAY, generate, type Recipe } from '../../bench/facts/generator.ts';
import { factsByMinute } from '../../bench/facts/lots.ts';
import { questionOf, ROUNDS, type Round, shapesOf } from '../../bench/facts/shapes.ts';
import { makeWorld } from '../../bench/facts/world.ts';
import { MINUTE_MS } from '../../src/domain/bucket.ts';

const RECIPE: Recipe = { seed: 3, connections: 20_000, days: 14, firstMinute: 29_000_160 };
const WORLD = makeWorld(RECIPE.seed);

function connectionsOf(recipe: Recipe): Generated[] {
  const found: Generated[] = [];
  for (const { begun, firstNumber } of generate(recipe, makeWorld(recipe.seed))) {
    expect(firstNumber).toBe(found.length + 1);
    for (let i = 0; i < begun.length; i++) found.push(begun.at(i));
  }
  return found;
}

describe('generated traffic', () => {
  const connections = connectionsOf(RECIPE);

  it('has exactly as many connections as asked for, in the order of their begin', () => {
    expect(connections).toHaveLength(RECIPE.connections);
    const starts = connections.map(({ startMs }) => startMs);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts[0]).toBeGreaterThanOrEqual(RECIPE.firstMinute * MINUTE_MS);
    expect(starts.at(-1)).toBeLessThan((RECIPE.firstMinute + RECIPE.days * DAY) * MINUTE_MS);
  });

  it('is the same for the same seed, and another for another', () => {
    expect(connectionsOf(RECIPE)).toEqual(connections);
    expect(connectionsOf({ ...RECIPE, seed: 4 })).not.toEqual(connections);
  });

  it('is the same at another time', () => {
    const later = connectionsOf({ ...RECIPE, firstMinute: RECIPE.firstMinute + 100 * DAY });
    const moved = later.map((one) => ({
      ...one,
      startMs: one.startMs - 100 * DAY * MINUTE_MS,
      firstMinute: one.firstMinute - 100 * DAY,
    }));
    expect(moved).toEqual(connections);
  });

  it('lives long in one connection of ten, and has few popular hosts', () => {
    const long = connections.filter(({ minutes }) => minutes > 10).length;
    expect(long / connections.length).toBeCloseTo(0.1, 1);
    const four = connections.filter(({ minutes }) => minutes === 241).length;
    expect(four / long).toBeCloseTo(1 / 3, 1);
    const byHost = [...Map.groupBy(connections, ({ host }) => host).values()].map((of) => of.length);
    const top = byHost.toSorted((a, b) => b - a).slice(0, 100);
    const share = top.reduce((sum, n) => sum + n, 0) / connections.length;
    expect(share).toBeGreaterThan(0.3);
    expect(byHost.length).toBeGreaterThan(4000);
  });

  it('sleeps at night', () => {
    const at = (hour: number) =>
      connections.filter(({ firstMinute }) => Math.floor((firstMinute % DAY) / 60) === hour).length;
    expect(at(15)).toBeGreaterThan(5 * at(3));
  });
});

describe('facts on their way', () => {
  it('come late for one in fifty, and those of a connection in their order', () => {
    let [all, late, disordered] = [0, 0, 0];
    const newest = new Map<number, number>();
    for (const { at, facts } of factsByMinute({ ...RECIPE, connections: 4000 }, WORLD)) {
      for (const { conn, kind, bucket, prev } of facts) {
        all++;
        if (bucket < at) late++;
        if (kind === 2) continue;
        if (bucket > at || prev !== (newest.get(conn) ?? 0)) disordered++;
        newest.set(conn, bucket);
      }
    }
    expect(disordered).toBe(0);
    expect(late / all).toBeGreaterThan(0.015);
    expect(late / all).toBeLessThan(0.025);
  });

  it('are kept by an agent out of reach until it is back', () => {
    const { firstMinute } = RECIPE;
    expect(arrivalOf(RECIPE, 0, firstMinute)).toBe(firstMinute + 180);
    expect(arrivalOf(RECIPE, 0, firstMinute + 179)).toBe(firstMinute + 180);
    expect(arrivalOf(RECIPE, 0, firstMinute + 180)).toBe(firstMinute + 180);
    expect(arrivalOf(RECIPE, 1, firstMinute)).toBe(firstMinute);
  });
});

describe('questions', () => {
  const recipe = { ...RECIPE, days: 90 };

  it('are no two equal, and of the length that their shape says', () => {
    const shapes = shapesOf(WORLD);
    const seen = new Set<string>();
    for (const shape of shapes) {
      for (let i = 0; i < 100; i++) {
        // Each round of a measurement begins with its own runs, from the first on.
        const round = Object.keys(ROUNDS)[i % 4] as Round;
        const question = questionOf(shape, recipe, Math.floor(i / 4), round) as { from: string; to: string };
        const text = JSON.stringify(question);
        expect(seen).not.toContain(text);
        seen.add(text);
        const days = (Date.parse(question.to) - Date.parse(question.from)) / MINUTE_MS / DAY;
        expect(days).toBeGreaterThan(shape.days - 2.1);
        expect(days).toBeLessThanOrEqual(shape.days);
        const last = (recipe.firstMinute + recipe.days * DAY) * MINUTE_MS;
        expect(Date.parse(question.to)).toBeLessThanOrEqual(last);
      }
    }
    expect(seen.size).toBe(shapes.length * 100);
  });
});
