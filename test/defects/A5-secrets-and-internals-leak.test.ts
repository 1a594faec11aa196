import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { BEARER, FakeServices, TOKEN, testApp } from '../../src/master/http/http.test-support.ts';
import { TokenVerifier } from '../../src/master/http/token.ts';

/** The original compared tokens with `==`, answered with SQL errors, and logged what it received. */
describe('A5: what stays inside', () => {
  it('compares tokens of any length, the right one alone matching', () => {
    const verifier = new TokenVerifier(TOKEN);
    for (const guess of ['', TOKEN[0] ?? '', TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
      expect(verifier.matches(guess)).toBe(false);
    }
    expect(verifier.matches(TOKEN)).toBe(true);
  });

  it('failures are told to the log, not to the client; queries and tokens to neither', async () => {
    let log = '';
    const sink = new Writable({
      write(chunk, _encoding, done) {
        log += String(chunk);
        done();
      },
    });
    const logger = pino({ level: 'trace' }, sink);
    const failing = {
      ...new FakeServices().stats,
      summary: () => Promise.reject(new Error('no such column: planted_column')),
    };
    const app = testApp({}, { logger, stats: failing });
    const secret = 'planted.example';
    const requests = [
      { url: `/api/v1/stats?type=summary&host=${secret}`, headers: BEARER },
      { url: `/api/v1/connections?host=${secret}`, headers: BEARER },
      { url: `/api/v1/connections?hots=${secret}`, headers: BEARER },
      { url: `/api/v1/nothing?token=${TOKEN}`, headers: BEARER },
      { url: '/api/v1/agents', headers: { authorization: 'Bearer planted-guess' } },
    ];
    const answers = await Promise.all(requests.map((request) => app.inject(request)));
    expect(answers.map((answer) => answer.statusCode)).toEqual([500, 200, 400, 404, 401]);
    for (const answer of answers) expect(answer.body).not.toMatch(/planted_column|planted-guess/);
    expect(log).toContain('planted_column');
    expect(log).not.toContain(secret);
    expect(log).not.toContain(TOKEN);
    expect(log).not.toContain('planted-guess');
  });
});
