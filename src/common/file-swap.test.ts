import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finishSwap, swapFiles } from './file-swap.ts';

/** Two new files take the place of two old ones, one of which has another beside it. */
const MOVES = [
  { from: 'a', to: 'a.old' },
  { from: 'a-wal', to: 'a.old-wal' },
  { from: 'b', to: 'b.old' },
  { from: 'a.part', to: 'a' },
  { from: 'b.part', to: 'b' },
];
const DONE = { a: 'new a', b: 'new b', 'a.old': 'old a', 'a.old-wal': 'log of old a', 'b.old': 'old b' };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'swap-'));
  for (const [name, content] of [
    ['a', 'old a'],
    ['a-wal', 'log of old a'],
    ['b', 'old b'],
    ['a.part', 'new a'],
    ['b.part', 'new b'],
  ] as const) {
    writeFileSync(join(directory, name), content);
  }
});
afterEach(() => rmSync(directory, { recursive: true }));

const plan = () => join(directory, 'plan');
const files = () =>
  Object.fromEntries(
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  );

describe('a swap of files', () => {
  it('renames them in order and leaves no plan', () => {
    swapFiles(plan(), MOVES);
    expect(files()).toEqual(DONE);
  });

  it.each(Array.from({ length: MOVES.length + 1 }, (_, done) => done))(
    'is ended by whoever comes next when it was cut short after %d renames',
    (done) => {
      writeFileSync(plan(), JSON.stringify({ moves: MOVES }));
      for (const { from, to } of MOVES.slice(0, done)) renameSync(join(directory, from), join(directory, to));
      expect(finishSwap(plan())).toEqual(MOVES);
      expect(files()).toEqual(DONE);
      expect(finishSwap(plan())).toBeNull();
      expect(files()).toEqual(DONE);
    },
  );

  it('is forgotten when it was cut short before its plan was written whole', () => {
    const before = files();
    writeFileSync(`${plan()}.new`, '{"moves": [{"fr');
    expect(finishSwap(plan())).toBeNull();
    expect(files()).toEqual(before);
  });

  it.each([
    ['{"moves": [{"from": "a", "to": "../a"}]}'],
    ['{"moves": [{"from": "/etc/a", "to": "a"}]}'],
    ['{"moves": 1}'],
    ['no JSON'],
  ])('refuses a plan that nobody wrote: %s', (text) => {
    const before = files();
    writeFileSync(plan(), text);
    expect(() => finishSwap(plan())).toThrow(expect.objectContaining({ code: 'file_unusable' }));
    expect(files()).toEqual({ ...before, plan: text });
  });
});
