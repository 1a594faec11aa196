import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { LOT_ROWS } from '../../src/master/ingest/lots.ts';
import type { Fact, Lot } from '../../src/master/store/store.ts';
import { arrivalOf, unattributedOf } from './arrival.ts';
import type { Generated } from './batch.ts';
import { fieldsOf, identityOf, shareOf } from './fields.ts';
import { generate, type Recipe } from './generator.ts';
import type { World } from './world.ts';

/** Facts that reach the master in one minute, in the order of their buckets. */
export interface ArrivedFacts {
  /** Minute since the epoch. */
  at: number;
  facts: Fact[];
}

/**
 * The generated data as facts, in the order in which the master gets them. In memory are the connections that are
 * open, and what agents out of reach keep: at most three hours of facts.
 */
export function* factsByMinute(recipe: Recipe, world: World): Generator<ArrivedFacts> {
  const held = new Map<number, Fact[]>();
  let open: Open[] = [];
  for (const { begun, firstNumber, from, to } of generate(recipe, world)) {
    let next = 0;
    for (let minute = from; minute < to; minute++) {
      const bucket = recipe.firstMinute + minute;
      for (; next < begun.length && begun.firstMinute[next] === bucket; next++) {
        open.push(opened(recipe, world, begun.at(next), firstNumber + next));
      }
      const facts: Fact[] = [];
      const put = (agent: number, fact: Fact) => {
        const late = arrivalOf(recipe, agent, bucket);
        if (late === bucket) facts.push(fact);
        else
          held
            .set(agent, held.get(agent) ?? [])
            .get(agent)!
            .push(fact);
      };
      for (const one of open) put(one.agent, factOf(one, bucket));
      for (const [agent, { name }] of world.agents.entries()) {
        const bytes = unattributedOf(recipe, agent, bucket);
        if (bytes.download > 0) put(agent, { ...NO_CONNECTION, bucket, agent: name, ...bytes });
        // The first minute in reach again brings all that was kept.
        if (held.has(agent) && arrivalOf(recipe, agent, bucket) === bucket) {
          facts.unshift(...held.get(agent)!);
          held.delete(agent);
        }
      }
      yield { at: bucket, facts };
      open = open.filter(({ connection: { firstMinute, minutes } }) => firstMinute + minutes > bucket + 1);
    }
  }
}

/** The same, sealed into lots: those of each minute, of as many facts at most as the records store seals. */
export function* lots(recipe: Recipe, world: World): Generator<{ lot: Lot; facts: Fact[] }> {
  let number = 0;
  for (const { at, facts: arrived } of factsByMinute(recipe, world)) {
    for (let from = 0; from < arrived.length; from += LOT_ROWS) {
      const facts = arrived.slice(from, from + LOT_ROWS);
      yield { lot: lotOf(++number, facts, (at + 1) * MINUTE_MS), facts };
    }
  }
}

export function lotOf(lot: number, facts: readonly Fact[], sealedAt: number): Lot {
  let [firstBucket, lastBucket, download, upload] = [Number.MAX_SAFE_INTEGER, 0, 0, 0];
  for (const fact of facts) {
    firstBucket = Math.min(firstBucket, fact.bucket);
    lastBucket = Math.max(lastBucket, fact.bucket);
    download += fact.download;
    upload += fact.upload;
  }
  const token = lot.toString(16).padStart(16, '0');
  return { lot, token, rows: facts.length, firstBucket, lastBucket, download, upload, sealedAt };
}

interface Open {
  number: number;
  agent: number;
  connection: Generated;
  /** What all its facts have in common. */
  common: Pick<Fact, 'conn' | 'kind' | 'agent' | 'fields' | 'recovered' | 'conns'>;
}

const NO_CONNECTION = { conn: 0, kind: 2, prev: 0, recovered: false, conns: 0, fields: null } as const;

function opened(recipe: Recipe, world: World, connection: Generated, number: number): Open {
  const { agent } = world.devices[connection.device]!;
  const fields = fieldsOf(world, connection, identityOf(recipe, number));
  const kind = connection.overlay ? 1 : 0;
  const { name } = world.agents[agent]!;
  return {
    number,
    agent,
    connection,
    common: { conn: number, kind, agent: name, fields, recovered: false, conns: 1 },
  };
}

function factOf({ connection, common }: Open, bucket: number): Fact {
  const { firstMinute, minutes, download, upload } = connection;
  const minute = bucket - firstMinute;
  return {
    ...common,
    bucket,
    prev: minute === 0 ? 0 : bucket - 1,
    download: shareOf(download, minute, minutes),
    upload: shareOf(upload, minute, minutes),
  };
}
