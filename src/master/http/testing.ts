import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../../common/logger.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';
import type { Delivery } from '../ingest/ingest.ts';
import { createApp } from './app.ts';
import type { HttpDeps, HttpOptions } from './deps.ts';

export const TOKEN = 'correct-horse-battery-staple';

/** An ingest that remembers what it was given and does nothing with it. */
export class FakeIngest {
  readonly deliveries: Delivery[] = [];
  /** Awaited before each answer, so that a test can hold requests in flight. */
  gate: Promise<void> = Promise.resolve();

  async v1(delivery: Delivery): Promise<{ count: number }> {
    this.deliveries.push(delivery);
    await this.gate;
    return { count: 1 };
  }

  async v2(delivery: Delivery): Promise<SyncAnswer> {
    this.deliveries.push(delivery);
    await this.gate;
    return {
      ok: true,
      head_before: null,
      accepted: 0,
      rejected: [],
      server_time: 0,
      limits: { rows: 5000, bytes: 4_194_304 },
    };
  }
}

export const OPTIONS: HttpOptions = {
  host: '127.0.0.1',
  port: 0,
  apiToken: TOKEN,
  allowHosts: [],
  trustedOrigins: [],
};

export function testApp(options: Partial<HttpOptions> = {}, deps: Partial<HttpDeps> = {}): FastifyInstance {
  return createApp({ ...testDeps(), ...deps }, { ...OPTIONS, ...options });
}

export function testDeps(): HttpDeps {
  return { ingest: new FakeIngest(), logger: silentLogger() };
}

export const BEARER = { authorization: `Bearer ${TOKEN}` };
