import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const FOLDER = import.meta.dirname;

/**
 * What a simulated core must do as a real one does, and the tests that show it: file, and how the test begins. A
 * behaviour of its own name is shown by a `describe` or `test` that begins with "behaviour N:".
 */
const BEHAVIOURS: readonly (readonly [says: string, shown: Readonly<Record<string, readonly string[]>>])[] = [
  [
    '1. HTTP and WebSocket on one port; Upgrade compared exactly; 401; the token wins; no token on HTTP; Unix socket without secret',
    {
      server: [
        'behaviour 1:',
        'Upgrade is compared exactly',
        'the secret: header or token',
        'the Unix socket asks for nothing',
      ],
    },
  ],
  [
    '2. First message at once, then every interval, 1000 ms by default; 0 and negative: one, then silence; junk: silence',
    {
      server: [
        'behaviour 2:',
        'the first message comes at once',
        'interval=%s: one message, then silence',
        'interval=%s: silence',
      ],
    },
  ],
  [
    '3. Never reads: no pong, no close; ends in 1006; one text frame with 7, 16 or 64 bit lengths',
    {
      server: [
        'behaviour 3:',
        'no pong, no answer to a close, 1006',
        'frames of every length arrive whole',
        'the length field changes at 126',
      ],
    },
  ],
  [
    '4. Ticks are dropped for a client that does not drain; stale messages first',
    { server: ['behaviour 4:', 'misses ticks instead of filling memory'] },
  ],
  [
    '5. null when empty; order of keys; all keys; memory 0 or stale; dialects',
    {
      core: [
        'behaviour 5:',
        'an empty table is null',
        'memory is what the core last noticed',
        'keys come in the order of the core',
        'dialects differ where the cores do',
      ],
      load: ['%s lives through an hour'],
    },
  ],
  ['6. Order arbitrary, mostly stable, another at growth', { core: ['behaviour 6:'] }],
  ['7. Counters monotonic, the rest immutable, ids v4 and never reused', { core: ['behaviour 7:'] }],
  [
    '8. Totals hold counted traffic only; counters may lead them a little within a message',
    {
      core: [
        'behaviour 8:',
        'hold counted traffic only',
        'the counters of one message may be a little ahead',
      ],
      traffic: ['behaviour 8:', 'over hours with restarts', 'hops and DNS over a proxy', 'a torn message'],
    },
  ],
  ['9. Late bytes; connections that no message shows', { core: ['behaviour 9:'], traffic: ['behaviour 9:'] }],
  [
    '10. UDP: flat for 60 s at the end; several destinations behind one entry',
    {
      traffic: [
        'behaviour 10:',
        'an entry stays for a minute after its last datagram',
        'one entry may serve several hosts',
      ],
    },
  ],
  [
    '11. Half-closed, idle for hours, flat for long, sudden burst, tiny keep-alives',
    {
      traffic: [
        'behaviour 11:',
        'idle for hours',
        'tiny keep-alives',
        'flat for half an hour and longer',
        'half-closed',
        'a speed test',
      ],
    },
  ],
  [
    '12. Bursts: page loads, all of a provider at once, DELETE all, proxy switch',
    {
      traffic: [
        'behaviour 12:',
        'page loads open dozens',
        'after a proxy switch',
        'an update of a provider ends all',
      ],
      core: ['behaviour 12:', 'behaviour 17:'],
    },
  ],
  [
    '13. REJECT flashes, REJECT-DROP for 60 s without bytes, plain HTTP sharing a source port',
    { traffic: ['behaviour 13:'] },
  ],
  [
    '14. Restart, reset of the statistics, SIGHUP, reload',
    {
      core: ['behaviour 14:', 'a restart begins from zero', 'a statistics reset takes the totals only'],
      traffic: ['behaviour 14:', 'the table is empty first', 'nothing opens for a second after a reload'],
      'server-faults': [
        'behaviour 14:',
        'a restart drops the stream without a word',
        'the stream survives a reload, a reset of the statistics and a new secret',
      ],
    },
  ],
  [
    '15. Faults on the way: stall, cut, reset, drip, delay, storms, wrong secret, other answers',
    {
      'server-faults': [
        'behaviour 15:',
        'stall: silence without closing',
        'a cut in the middle of a message and a reset',
        'a slow drip',
        'a delay keeps the order',
        'wrong secret, answers of a reverse proxy',
        'refused, and a storm of reconnects',
      ],
    },
  ],
  [
    "16. The core's zone, skew, a change of its offset, fractions of start",
    { core: ['behaviour 16:', 'start is by the clock and zone of the core', 'start has at most %i'] },
  ],
  [
    '17. DELETE: always 204, gone before the next message',
    { core: ['behaviour 17:'], server: ['behaviour 17:', 'always 204'] },
  ],
  [
    '18. The truth beside: bytes by connection, host and node, never-listed ones too',
    { traffic: ['behaviour 18:', 'every message agrees with it'], core: ['behaviour 9:'] },
  ],
];

/** Titles of `describe` and `test` in a file. */
function titles(file: string): string[] {
  const source = readFileSync(join(FOLDER, file), 'utf8');
  const title = /\b(?:describe|test)(?:\.each(?:<\w+>)?\([^)]*\))?\(\s*(['"`])(.*?)\1/g;
  return [...source.matchAll(title)].map(([, , text]) => text!);
}

describe('behaviours of a core', () => {
  test('are eighteen, in order', () => {
    expect(BEHAVIOURS.map(([says]) => Number.parseInt(says, 10))).toEqual(
      Array.from({ length: 18 }, (_, place) => place + 1),
    );
  });

  test.each(BEHAVIOURS)('%s', (_, shown) => {
    expect(Object.keys(shown).length).toBeGreaterThan(0);
    for (const [file, beginnings] of Object.entries(shown)) {
      const there = titles(`${file}.test.ts`);
      for (const beginning of beginnings)
        expect(there.filter((title) => title.startsWith(beginning)).length, `${file}: ${beginning}`).toBe(1);
    }
  });

  test('no test names a behaviour that the table does not send to it', () => {
    for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts'))) {
      if (file === 'behaviours.test.ts') continue;
      for (const title of titles(file)) {
        const number = /^behaviour (\d+):/.exec(title)?.[1];
        if (number === undefined) continue;
        const shown = BEHAVIOURS[Number(number) - 1]?.[1] ?? {};
        expect(Object.keys(shown), title).toContain(file.replace('.test.ts', ''));
      }
    }
  });
});
