import { describe, expect, it } from 'vitest';
import type { AgentRow } from '../records/query.ts';
import { BEARER, NO_RECORDS, testApp } from './http.test-support.ts';
import type { ReadinessProbe } from './readiness.ts';

const NOW = 1_000_000;
const AGENT = { agentId: 'a', lastSnapshot: NOW - 700, lastContact: NOW - 3000 } as AgentRow;

async function ready(probes: ReadinessProbe[], agents = async (): Promise<AgentRow[]> => [AGENT]) {
  const app = testApp({}, { probes, records: { ...NO_RECORDS, agents }, now: () => NOW });
  const answer = await app.inject({ url: '/api/v1/ready', headers: BEARER });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

describe('GET /ready', () => {
  it('tells each part and the ages of what agents sent', async () => {
    const { status, body } = await ready([
      { name: 'facts', check: () => ({ state: 'warning', reason: 'behind', values: { waiting: 5 } }) },
      { name: 'ingest', check: async () => ({ state: 'ok' }) },
    ]);
    expect(status).toBe(200);
    expect(body.data).toEqual({
      state: 'warning',
      components: {
        facts: { state: 'warning', reason: 'behind', values: { waiting: 5 } },
        ingest: { state: 'ok' },
        'records-reader': { state: 'ok' },
      },
      agents: [{ agent_id: 'a', snapshot_age_ms: 700, sync_age_ms: 3000 }],
    });
  });

  it('is 503 while a part cannot serve, and still tells all parts', async () => {
    const { status, headers, body } = await ready([
      { name: 'facts', check: () => ({ state: 'error', reason: 'opening' }) },
    ]);
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('5');
    expect(body).toMatchObject({
      status: 'error',
      code: 'not_ready',
      message: 'not ready: facts',
      data: {
        state: 'error',
        components: { facts: { reason: 'opening' }, 'records-reader': { state: 'ok' } },
      },
    });
  });

  it('takes a check that throws as an error, without its text', async () => {
    const { status, body } = await ready([], async () => {
      throw new Error('/secret/path');
    });
    expect(status).toBe(503);
    expect(JSON.stringify(body)).not.toContain('/secret');
    expect(body.data.components['records-reader'].state).toBe('error');
  });
});
