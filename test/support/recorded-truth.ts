/** A row of the table of test/fixtures/recordings/README.md; bytes are download and upload together. */
export interface RunTruth {
  frames: number;
  ids: number;
  overlayIds: number;
  totals: number;
  counted: number;
  unattributed: number;
  overlay: number;
}

export const RECORDINGS = 'test/fixtures/recordings';

/** What is true of each core run of each recording. */
export const RECORDED: readonly (readonly [file: string, runs: readonly RunTruth[]])[] = [
  ['mihomo-2025-02.ndjson.gz', [run(75, 504, 44, 136640725, 118805812, 17834913, 9505756)]],
  [
    'mihomo-2026-06-restart.ndjson.gz',
    [
      run(19, 204, 16, 60265905, 55344894, 4921011, 8675240),
      run(39, 236, 18, 66359897, 54946765, 11413132, 9300923),
    ],
  ],
  ['mihomo-2026-06.ndjson.gz', [run(70, 552, 44, 184636685, 166308877, 18327808, 24827390)]],
];

/** The runs of a recording that is in the table. */
export function truthOf(file: string): readonly RunTruth[] {
  return RECORDED.find(([name]) => name === file)![1];
}

function run(
  frames: number,
  ids: number,
  overlayIds: number,
  totals: number,
  counted: number,
  unattributed: number,
  overlay: number,
): RunTruth {
  return { frames, ids, overlayIds, totals, counted, unattributed, overlay };
}
