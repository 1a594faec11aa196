import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { VERSION } from '../src/common/program.ts';

it('says the version of its package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(VERSION).toBe(manifest.version);
});

it('has a lock file that every npm can install from, on every platform', () => {
  const check = spawnSync(process.execPath, ['scripts/lockfile.js', '--check'], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  });
  expect(check.stderr).toBe('');
  expect(check.status).toBe(0);
});
