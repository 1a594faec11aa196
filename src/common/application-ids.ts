/** What says in an SQLite file of ours whose it is (`PRAGMA application_id`), with what to call it. */
export const APPLICATION_IDS = {
  journal: 0x6d636a6e, // 'mcjn'
  records: 0x6d637472, // 'mctr'
} as const;

const KINDS: ReadonlyMap<number, string> = new Map([
  [APPLICATION_IDS.journal, 'the journal of an agent'],
  [APPLICATION_IDS.records, 'the records database of a master'],
]);

/** What a file with that id is. */
export function kindOfFile(applicationId: number): string {
  return KINDS.get(applicationId) ?? 'an SQLite file of something else';
}
