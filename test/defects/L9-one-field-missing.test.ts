// The original required every one of 32 fields: a core without one of them, or one connection with `chains: null`, meant no
// data at all, and the whole snapshot in the log each second.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { type Dialect, VERSIONS } from '../../src/simulator/dialect.ts';
import { AgentAndMaster } from '../support/agent-and-master.ts';

let all: AgentAndMaster;
beforeEach(() => {
  all = new AgentAndMaster();
});
afterEach(() => all.close());

/** A message of a core, as text. */
function frame(connections: unknown, totals = 0): string {
  return JSON.stringify({ downloadTotal: totals, uploadTotal: 0, connections });
}

describe('L9: a core says what it says', () => {
  it('a connection is known by its id and its counters; everything else may be missing', async () => {
    all.agent.see(frame([]));
    all.pass(1000);
    const connections = [
      { id: 'bare', download: 100, upload: 0 },
      { id: 'nulls', download: 200, upload: 0, metadata: null, chains: null, rule: null, start: null },
      {
        id: 'odd',
        download: 300,
        upload: 0,
        metadata: { uid: 'x', host: 7, sourcePort: 443 },
        chains: 'DIRECT',
      },
    ];
    expect(all.agent.see(frame(connections, 600))).toBe(true);
    all.agent.recorder.flush();
    await all.agent.deliver();
    expect(all.booked()).toEqual(
      new Map([
        ['bare', 100],
        ['nulls', 200],
        ['odd', 300],
      ]),
    );
  });

  it('a bad item costs itself: the others are booked, its bytes are unattributed', async () => {
    all.agent.see(frame([]));
    all.pass(1000);
    const connections = [
      { id: 'good', download: 100, upload: 0 },
      null,
      'x',
      { download: 5 },
      { id: 'negative', download: -5, upload: 0 },
      { id: 'text', download: 'many', upload: 0 },
      { id: 'last', download: 200, upload: 0 },
    ];
    expect(all.agent.see(frame(connections, 1000))).toBe(true);
    all.agent.recorder.flush();
    expect(all.agent.recorder.metrics.skipped).toBe(5);
    await all.agent.deliver();
    expect(all.booked()).toEqual(
      new Map([
        ['good', 100],
        ['last', 200],
      ]),
    );
    expect(all.sum(2).download).toBe(700);
  });

  it('what is no snapshot changes nothing, and the next one counts in full', async () => {
    all.agent.see(frame([{ id: 'a', download: 10, upload: 0 }], 10));
    for (const text of ['', '{', '[]', '"x"', '{"connections":5}', '<html>502</html>', frame('x')]) {
      all.pass(1000);
      expect(all.agent.see(text)).toBe(false);
    }
    all.pass(1000);
    all.agent.see(frame([{ id: 'a', download: 70, upload: 0 }], 70));
    all.agent.recorder.flush();
    await all.agent.deliver();
    expect(all.sum(0).download).toBe(60);
  });

  it.each(Object.keys(VERSIONS) as Dialect[])('the records of %s are read', async (dialect) => {
    const core = new SimulatedCore({ startAt: all.now, profile: null, dialect });
    all.agent.see(core.frameBytes());
    const id = core.open({ host: 'www.example.com', chains: ['HK', 'Proxy'] }, { download: 4321 });
    all.pass(1000);
    expect(all.agent.see(core.frameBytes())).toBe(true);
    all.agent.recorder.flush();
    await all.agent.deliver();
    expect(all.booked()).toEqual(new Map([[id, 4321]]));
    const row = all.master.merger.db.prepare('SELECT host, chains FROM connections').get();
    expect(row).toMatchObject({ host: 'www.example.com', chains: '["Proxy","HK"]' });
  });
});
