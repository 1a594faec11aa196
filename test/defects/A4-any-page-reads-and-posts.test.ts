import { describe, expect, it } from 'vitest';
import { FakeIngest, testApp } from '../../src/master/http/http.test-support.ts';

/**
 * The original served everybody without a token, and allowed any origin with the Authorization header: a web page
 * opened in the network could read the household's history and post data of its own.
 */
describe('A4: a web page in a browser of the network', () => {
  const app = (ingest = new FakeIngest()) => testApp({ apiToken: null }, { ingest });
  const neighbour = { remoteAddress: '192.168.1.23' };
  const page = { host: '192.168.1.1:8080', origin: 'https://evil.example' };

  it('is not shown an answer by its browser', async () => {
    const answer = await app().inject({ url: '/api/v1/connections', headers: page, ...neighbour });
    const cors = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
    expect(cors).toEqual([]);
  });

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded'])(
    'cannot post %s',
    async (type) => {
      const ingest = new FakeIngest();
      const answer = await app(ingest).inject({
        method: 'POST',
        url: '/api/v1/sync',
        headers: { ...page, 'content-type': type },
        payload: '{"agent_id":"x","connections":[]}',
        ...neighbour,
      });
      expect(answer.statusCode).toBe(403);
      expect(ingest.deliveries).toEqual([]);
    },
  );

  it('cannot ask for permission', async () => {
    const answer = await app().inject({
      method: 'OPTIONS',
      url: '/api/v1/sync',
      headers: { ...page, 'access-control-request-method': 'POST' },
      ...neighbour,
    });
    expect(answer.statusCode).toBe(403);
  });

  it('cannot pass as ours by pointing its own name at the master', async () => {
    const headers = { host: 'evil.example:8080', origin: 'http://evil.example:8080' };
    for (const remoteAddress of ['127.0.0.1', '192.168.1.23']) {
      const read = await app().inject({ url: '/api/v1/connections', headers, remoteAddress });
      expect(read.json()).toMatchObject({ code: 'host_refused', data: null });
    }
  });

  it('strangers from the internet get nothing at all', async () => {
    const answer = await app().inject({ url: '/api/v1/connections', remoteAddress: '203.0.113.7' });
    expect(answer.statusCode).toBe(403);
    expect(answer.json().code).toBe('address_refused');
  });
});
