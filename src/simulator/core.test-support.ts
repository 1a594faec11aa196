import { expect } from 'vitest';
import type { SimulatedCore } from './core.ts';
import type { TrueConnection } from './truth.ts';

/** Every connection there ever was, listed or not. */
export function all(core: SimulatedCore): TrueConnection[] {
  return [...core.truth.connections.values()];
}

/** The books of the truth: of each run, its counted connections and what is in none are its bytes. */
export function expectConserved(core: SimulatedCore): void {
  const { truth } = core;
  for (const run of truth.runs) {
    const { download, upload } = truth.counted(run);
    expect({
      download: download + run.unlistedDownload,
      upload: upload + run.unlistedUpload,
    }).toEqual({ download: run.download, upload: run.upload });
  }
}
