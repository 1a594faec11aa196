import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const cli = join(import.meta.dirname, '../src/cli');

/** What a source loads when it is loaded itself; imports of types alone are gone by then. */
function loadedBy(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  return [...source.matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)';/gm)].map(
    ([, name]) => name ?? '',
  );
}

/** Packages that are loaded with these sources, and for each the sources that lead to it. */
function packagesOf(entries: readonly string[]): Record<string, string> {
  const packages: Record<string, string> = {};
  const seen = new Map(entries.map((entry) => [join(cli, entry), entry]));
  // A map goes on with what is added to it meanwhile.
  for (const [path, way] of seen) {
    for (const name of loadedBy(path)) {
      if (!name.startsWith('.')) packages[name] ??= way;
      else if (!seen.has(resolve(dirname(path), name)))
        seen.set(resolve(dirname(path), name), `${way} > ${name}`);
    }
  }
  return packages;
}

it('an agent loads two packages: the schemas, the HTTP server and DuckDB would cost it more than it weighs', () => {
  const packages = packagesOf(['main.ts', 'agent.ts']);
  const foreign = Object.entries(packages).filter(([name]) => !name.startsWith('node:'));
  expect(foreign.map(([name, way]) => `${name}, by ${way}`).sort()).toEqual([
    expect.stringMatching(/^better-sqlite3, /),
    expect.stringMatching(/^pino, /),
  ]);
});

it('an agent imports no part of Node that brings more along than it needs: see agent/built-in.ts', () => {
  const packages = packagesOf(['main.ts', 'agent.ts']);
  expect(['node:http', 'node:https', 'node:tls'].flatMap((name) => packages[name] ?? [])).toEqual([]);
});

it('a master loads those packages by the same way of finding them', () => {
  expect(Object.keys(packagesOf(['master.ts']))).toEqual(
    expect.arrayContaining(['@sinclair/typebox', 'fastify']),
  );
});
