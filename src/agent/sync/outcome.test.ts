import { describe, expect, it } from 'vitest';
import { judgeReply, retryAfterMs } from './outcome.ts';

const NOW = Date.UTC(2026, 5, 1);
const answer = (status: number, body = '{}') => judgeReply({ kind: 'answer', status, retryAfterMs: 7, body });

describe('what a reply means', () => {
  it.each([
    [408, 'retry'],
    [425, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [502, 'retry'],
    [301, 'retry'],
    [418, 'retry'],
    [413, 'too-large'],
    [400, 'invalid'],
    [415, 'invalid'],
    [422, 'invalid'],
    [401, 'denied'],
    [403, 'denied'],
    [404, 'unsupported'],
    [405, 'unsupported'],
  ])('%d → %s', (status, kind) => {
    expect(answer(status).kind).toBe(kind);
  });

  it('a success counts only with the answer of a master', () => {
    for (const body of ['', 'null', '<html>', '{}', '{"data":{"ok":true}}']) {
      expect(answer(200, body).kind).toBe('retry');
    }
  });

  it('carries what the master says is to be done, where it is one', () => {
    const refused = { code: 'agent_id_bound', message: 'another agent', hint: 'Give it a token of its own.' };
    expect(answer(403, JSON.stringify(refused))).toEqual({
      kind: 'denied',
      status: 403,
      reason: 'agent_id_bound: another agent',
      hint: 'Give it a token of its own.',
    });
    for (const body of ['<html>Forbidden</html>', 'null', '{"hint":5}']) {
      expect(answer(403, body)).toMatchObject({ kind: 'denied', hint: '' });
    }
  });

  it('carries the reason that the master gave, cut', () => {
    const body = JSON.stringify({ code: 'agent_id_reserved', message: 'x'.repeat(1000) });
    const outcome = answer(403, body);
    expect(outcome.kind === 'denied' && outcome.reason.length).toBe(300);
    expect(outcome.kind === 'denied' && outcome.reason).toMatch(/^agent_id_reserved: x/);
  });
});

describe('Retry-After', () => {
  it.each([
    [undefined, 0],
    ['120', 120_000],
    [' 5 ', 5000],
    ['999999', 3_600_000],
    [new Date(NOW + 60_000).toUTCString(), 60_000],
    [new Date(NOW - 60_000).toUTCString(), 0],
    ['soon', 0],
  ])('%s → %d ms', (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });
});
