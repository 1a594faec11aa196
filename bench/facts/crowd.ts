import { Random } from '../../src/simulator/random.ts';
import { Asker } from './asker.ts';

/**
 * A process of several people who ask mixed questions at once, each the next as soon as the last is answered and after
 * a pause, if any.
 *
 * `node bench/facts/crowd.ts`, then a message of `Crowd`
 */
export interface CrowdQuestion {
  /** Questions over a few days, which must be answered soon whatever else is asked. */
  light: boolean;
  path: string;
  /** Null: GET. */
  body: unknown;
}

export interface Crowd {
  port: number;
  people: number;
  seconds: number;
  pauseMs: number;
  seed: number;
  questions: CrowdQuestion[];
}

export interface CrowdResult {
  light: number[];
  heavy: number[];
  /** Refused with 429, which is no error. */
  refused: number;
  failures: string[];
}

async function ask({ port, people, seconds, pauseMs, seed, questions }: Crowd): Promise<CrowdResult> {
  const result: CrowdResult = { light: [], heavy: [], refused: 0, failures: [] };
  const end = performance.now() + seconds * 1000;
  let next = 0;
  const person = async (number: number) => {
    const random = new Random(`${seed}-${number}`);
    const asker = new Asker(port);
    while (performance.now() < end) {
      const question = questions[next++ % questions.length]!;
      const { ms, status, text } = await (question.body === null
        ? asker.get(question.path)
        : asker.post(question.path, question.body));
      if (status === 200) (question.light ? result.light : result.heavy).push(ms);
      else if (status === 429) result.refused++;
      else result.failures.push(`${question.path}: ${status} ${text.slice(0, 200)}`);
      const pause = status === 429 ? 1000 : random.exponential(pauseMs);
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    asker.close();
  };
  await Promise.all(Array.from({ length: people }, (_, number) => person(number)));
  return result;
}

process.on('disconnect', () => process.exit());
process.on('message', async (crowd: Crowd) => {
  process.send?.(await ask(crowd));
});
process.send?.('ready');
