/** Where a process is killed, by the name that is printed. */
export type Point =
  | `${'journal flush' | 'note of sending' | 'acknowledgement' | 'merge' | 'import' | 'seal'}: ${'before' | 'after'} the commit`
  | 'merge: among the rows'
  | 'lot: in its transaction'
  | 'lot: committed, not confirmed'
  | 'lot: confirmed';

export interface Kill {
  name: string;
  victim: 'agent' | 'master';
  /**
   * `point`: the process kills itself there. `request`: killed when a batch has left and not arrived. `answer`: killed
   * when the batch was merged and the answer has not arrived. `stopping`: killed while it ends in order.
   */
  by: { point: Point; most: number } | 'request' | 'answer' | 'stopping';
}

function at(victim: Kill['victim'], point: Point, most: number): Kill {
  return { name: `${victim} at "${point}"`, victim, by: { point, most } };
}

/** `most`: the pass is drawn up to that. */
export const KILLS: readonly Kill[] = [
  at('agent', 'journal flush: before the commit', 4),
  at('agent', 'journal flush: after the commit', 4),
  at('agent', 'note of sending: before the commit', 2),
  at('agent', 'note of sending: after the commit', 2),
  at('agent', 'acknowledgement: before the commit', 2),
  at('agent', 'acknowledgement: after the commit', 2),
  { name: 'agent after it sent, before the master has it', victim: 'agent', by: 'request' },
  { name: 'agent after the merge, before the answer', victim: 'agent', by: 'answer' },
  { name: 'agent while it stops in order', victim: 'agent', by: 'stopping' },
  at('master', 'merge: among the rows', 60),
  at('master', 'merge: before the commit', 4),
  at('master', 'merge: after the commit', 4),
  { name: 'master after the merge, before the answer', victim: 'master', by: 'answer' },
  at('master', 'seal: before the commit', 2),
  at('master', 'seal: after the commit', 2),
  at('master', 'lot: in its transaction', 2),
  at('master', 'lot: committed, not confirmed', 2),
  at('master', 'lot: confirmed', 2),
  at('master', 'import: before the commit', 3),
  at('master', 'import: after the commit', 3),
  { name: 'master while it stops in order', victim: 'master', by: 'stopping' },
];
