import type { Fault } from './schedule.ts';

/** A broken variant of the program: the text of one or more edits is replaced, and the schedules must notice. */
export interface Mutant {
  name: string;
  /** `search` must stand in the file exactly once, else the mutation test itself fails. */
  edits: readonly { file: string; search: string; replace: string }[];
  /** Faults that reach it quickly, in place of drawn ones. */
  faults?: readonly Fault[];
  /** First seed tried; at most `runs` schedules are. */
  from: number;
  runs?: number;
  /** From one seed to the next: every tenth has a fact store. */
  stride?: number;
}

const MERGE = 'src/master/ingest/batch-merge.ts';
const RETENTION = 'src/master/ingest/record-retention.ts';
const RECORD = 'src/master/ingest/record.ts';
const ACK = 'src/agent/journal/acknowledge.ts';
const OUTBOX = 'src/agent/journal/outbox.ts';
const BOOKS = 'src/agent/books/books.ts';
const RUN = 'src/agent/books/run.ts';
const JOURNAL = 'src/agent/journal/journal.ts';
const COVERS = 'src/master/ingest/covers.ts';
const LEDGER = 'src/master/ingest/ledger.ts';

/** What the design was tempted by, what the original does, and each rule of docs/sync.md taken away once. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'deltas that are added up, each once for its stream, in place of absolute counters',
    edits: [
      {
        file: MERGE,
        search: '    const at = this.#bounded(minute);\n    const booking',
        replace:
          '    const at = this.#bounded(minute);\n    const { base } = cover;\n    const grown = { download: Math.max(0, down - base.download), upload: Math.max(0, up - base.upload) };\n    this.#context.records.covers.base(record, this.#stream.num, { download: Math.max(down, base.download), upload: Math.max(up, base.upload) });\n    const booking',
      },
      {
        file: MERGE,
        search: '        download: down,\n        upload: up,\n        recoveredDownload: recoveredDown,',
        replace:
          '        download: record.counter.download + grown.download,\n        upload: record.counter.upload + grown.upload,\n        recoveredDownload: recoveredDown,',
      },
      {
        file: MERGE,
        search: '      cover,\n    );',
        replace:
          '      { stream: 0, base: { download: 0, upload: 0 }, to: { download: 0, upload: 0 }, changed: false },\n    );',
      },
    ],
    faults: ['journal-lost', 'clone', 'v1-replaced'],
    from: 1,
  },
  {
    name: 'the counter is overwritten by whatever comes (the original)',
    edits: [
      {
        file: RECORD,
        search: 'const growth = Math.max(0, value - before);',
        replace: 'const growth = value - before;',
      },
      {
        file: RECORD,
        search: 'record.counter[side] = Math.max(before, value);',
        replace: 'record.counter[side] = value;',
      },
    ],
    faults: ['restore-agent', 'clone', 'agent-crash'],
    from: 1,
  },
  {
    name: 'a time as cursor: only minutes from the newest acknowledged one on are sent',
    edits: [
      {
        file: OUTBOX,
        search: 'AND minute < ? AND flags & ${FLAG_ADOPTED} = 0 ORDER BY',
        replace:
          'AND minute < ? AND flags & ${FLAG_ADOPTED} = 0 AND minute >= (SELECT coalesce(max(minute), 0) FROM samples WHERE dirty = 0) ORDER BY',
      },
    ],
    faults: ['clock-jump', 'restore-master'],
    from: 4,
  },
  {
    name: 'memory is marked clean before the commit',
    edits: [
      {
        file: 'src/agent/recorder/recorder.ts',
        search: '      journal.flush(books.changes(), at, running);\n      books.committed(running);\n',
        replace:
          '      const changes = books.changes();\n      books.committed(running);\n      journal.flush(changes, at, running);\n',
      },
    ],
    faults: ['disk-full'],
    from: 1,
  },
  {
    name: 'the packed minute is not read after a crash',
    edits: [
      {
        file: 'src/agent/journal/journal.ts',
        search: '    this.#loadRunning(open);\n',
        replace: '',
      },
    ],
    faults: ['agent-crash'],
    from: 1,
  },
  {
    name: 'what is packed is taken for rows',
    edits: [{ file: BOOKS, search: 'if (isRunning(entry, running)) {', replace: 'if (false) {' }],
    from: 1,
  },
  {
    name: 'a new delta overwrites the checkpoints, which are not in the transaction of the flush',
    edits: [
      {
        file: JOURNAL,
        search: "        this.setMeta('books', JSON.stringify(changes.state));\n",
        replace: "        if (wide) this.setMeta('books', JSON.stringify(changes.state));\n",
      },
    ],
    faults: ['agent-crash'],
    from: 1,
  },
  {
    name: 'overlay is counted as if its bytes were in the totals',
    edits: [{ file: LEDGER, search: '    if (!record.counted) return;\n', replace: '' }],
    faults: ['drop'],
    from: 1,
  },
  {
    name: 'overlay is part of the accepted increase where totals cannot be compared',
    edits: [{ file: BOOKS, search: '    if (entry.counted) {\n', replace: '    {\n' }],
    faults: ['core-restart', 'statistics-reset'],
    from: 1,
  },
  {
    name: 'the base is ignored: history from before the tracker is booked',
    edits: [
      {
        file: MERGE,
        search: 'const base = { download: Number(row[2]), upload: Number(row[3]) };',
        replace: 'const base = { download: 0, upload: 0 };',
      },
    ],
    faults: ['drop'],
    from: 1,
  },
  {
    name: 'a base below the record is not booked',
    edits: [
      {
        file: RECORD,
        search: 'const lowered = Math.max(0, record.base[side] - base);',
        replace: 'const lowered = 0;',
      },
    ],
    faults: ['journal-lost', 'old-journal-back', 'restore-master'],
    from: 4,
  },
  {
    name: 'booked into the minute of the sample, before the newest fact',
    edits: [
      {
        file: RECORD,
        search: 'const bucket = Math.max(sample.minute, record.lastBucket);',
        replace: 'const bucket = sample.minute;',
      },
    ],
    faults: ['restore-agent', 'clone', 'delay', 'lose-answer'],
    from: 1,
  },
  {
    name: 'inflight is never emptied',
    edits: [
      {
        file: ACK,
        search:
          "      this.#journal.setMeta('prev', batch.id);\n      prepared(this.#db, 'DELETE FROM inflight').run();\n",
        replace: "      this.#journal.setMeta('prev', batch.id);\n",
      },
      {
        file: ACK,
        search:
          "      const moved = headBefore !== batch.prev;\n      prepared(this.#db, 'DELETE FROM inflight').run();\n",
        replace: '      const moved = headBefore !== batch.prev;\n',
      },
    ],
    faults: ['restore-master', 'lose-answer', 'drop'],
    from: 1,
  },
  {
    name: 'data is merged though the head did not match',
    edits: [
      {
        file: 'src/master/ingest/merger.ts',
        search: '      if (ok) {\n        const merge',
        replace: '      if (ok || headBefore !== undefined) {\n        const merge',
      },
    ],
    faults: ['restore-master', 'delay', 'lose-answer'],
    from: 1,
  },
  {
    name: 'an answer that was not ok resends nothing',
    edits: [
      {
        file: ACK,
        search:
          '          `UPDATE samples SET dirty = 1, flags = (flags | ${FLAG_AGAIN}) & ~${FLAG_SENT_BEFORE} WHERE dirty = 0 AND ord > ?`,',
        replace: '          `UPDATE samples SET dirty = 0 WHERE dirty = 0 AND ord > ?`,',
      },
    ],
    faults: ['restore-master'],
    from: 1,
  },
  {
    name: 'a head that the journal does not know resends nothing',
    edits: [
      {
        file: ACK,
        search:
          '          `UPDATE samples SET dirty = 1, flags = (flags | ${FLAG_AGAIN}) & ~${FLAG_SENT_BEFORE}`,',
        replace: '          `UPDATE samples SET dirty = dirty`,',
      },
    ],
    faults: ['restore-master'],
    from: 1,
  },
  {
    name: 'a row is acknowledged whatever revision was sent',
    edits: [
      {
        file: ACK,
        search: '${range} AND rev <= ?`',
        replace: '${range} AND rev <= ? + 1000000`',
      },
    ],
    faults: ['drop'],
    from: 1,
  },
  {
    name: 'the row of a connection is sent once, acknowledged or not',
    edits: [
      {
        file: ACK,
        search: '      for (const spec of Object.values(ACKNOWLEDGED)) {\n        const closing',
        replace:
          "      for (const spec of Object.values(ACKNOWLEDGED)) {\n        if (spec.dirty === 'dirty' && spec.table === 'connections') continue;\n        const closing",
      },
    ],
    faults: ['restore-master'],
    from: 1,
  },
  {
    name: 'the totals of a new run are compared with those of the old one',
    edits: [
      {
        file: RUN,
        search: "return verdict === 'restarted' ? now : counted;",
        replace:
          "return verdict === 'restarted'\n    ? { download: Math.max(0, now.download - before.download), upload: Math.max(0, now.upload - before.upload) }\n    : counted;",
      },
    ],
    faults: ['core-restart'],
    from: 1,
  },
  {
    name: 'a reset of the statistics is taken for a new run',
    edits: [
      {
        file: RUN,
        search: "return fell ? 'reset' : 'same';",
        replace: "return fell ? 'restarted' : 'same';",
      },
    ],
    faults: ['statistics-reset'],
    from: 1,
  },
  {
    name: 'totals that rose over a gap with nothing known are compared',
    edits: [
      {
        file: RUN,
        search: "return fell ? 'restarted' : 'ambiguous';",
        replace: "return fell ? 'restarted' : 'same';",
      },
    ],
    faults: ['ambiguous-gap', 'stall'],
    from: 1,
  },
  {
    name: 'a run that ends with less than was booked keeps it so',
    edits: [
      {
        file: BOOKS,
        search:
          "    if (verdict === 'restarted' || verdict === 'ambiguous') this.#totals.endRun(minuteOf(from));\n",
        replace: '',
      },
    ],
    faults: ['torn-snapshot', 'core-restart'],
    from: 6,
  },
  {
    name: 'what another source has booked is taken off no totals',
    edits: [
      {
        file: RECORD,
        search: 'repeated: Math.max(0, value - from) - covered,',
        replace: 'repeated: 0,',
      },
    ],
    faults: ['v1-fallback', 'drop'],
    from: 1,
  },
  {
    name: 'a cover moves with the counter, whoever raises it',
    edits: [
      {
        file: COVERS,
        search: 'if (record.covers === null) return;',
        replace: 'if (record.covers !== source) return;',
      },
    ],
    faults: ['v1-fallback', 'master-crash'],
    from: 1,
  },
  {
    name: 'negative unattributed bytes are clipped',
    edits: [
      {
        file: LEDGER,
        search: '        const { unattributed, core, unmeasured } = sums;\n',
        replace:
          '        const { unattributed, core, unmeasured } = sums;\n        unattributed.download = Math.max(0, unattributed.download);\n        unattributed.upload = Math.max(0, unattributed.upload);\n',
      },
    ],
    faults: ['torn-snapshot'],
    from: 1,
  },
  {
    name: 'bytes first seen after a gap are not marked as recovered',
    edits: [
      {
        file: BOOKS,
        search: 'this.#grow(entry, listed, since, at, !watched, step, counted);',
        replace: 'this.#grow(entry, listed, since, at, false, step, counted);',
      },
    ],
    faults: ['stall'],
    from: 1,
  },
  {
    name: 'a clock that was set right keeps the help it had from the master',
    edits: [
      {
        file: 'src/agent/clock.ts',
        search: 'const adjust = this.#unset && wall >= this.#buildDate ? 0 : this.#adjust;',
        replace: 'const adjust = this.#adjust;',
      },
    ],
    faults: ['no-clock'],
    from: 1,
  },
  {
    name: 'what retention deleted is not told to a master that was set back',
    edits: [{ file: ACK, search: '      this.#reportForgotten(after);\n', replace: '' }],
    faults: ['retention', 'restore-master'],
    from: 1,
  },
  {
    name: 'the mark "sent" is never set',
    edits: [
      {
        file: OUTBOX,
        search: '      if (last === undefined) return;\n',
        replace: '      if (last === undefined || last.minute > 0) return;\n',
      },
    ],
    faults: ['prune', 'lose-answer', 'restore-master', 'days-offline'],
    from: 30,
  },
  {
    name: 'the mark "again" is never set by an answer that was not ok',
    edits: [
      {
        file: ACK,
        search:
          '`UPDATE samples SET dirty = 1, flags = (flags | ${FLAG_AGAIN}) & ~${FLAG_SENT_BEFORE} WHERE dirty = 0 AND ord > ?`',
        replace:
          '`UPDATE samples SET dirty = 1, flags = flags & ~${FLAG_SENT_BEFORE} WHERE dirty = 0 AND ord > ?`',
      },
      {
        file: ACK,
        search: '`UPDATE samples SET dirty = 1, flags = (flags | ${FLAG_AGAIN}) & ~${FLAG_SENT_BEFORE}`,',
        replace: '`UPDATE samples SET dirty = 1, flags = flags & ~${FLAG_SENT_BEFORE}`,',
      },
    ],
    faults: ['prune', 'lose-answer', 'restore-master', 'days-offline'],
    from: 9,
  },
  {
    name: 'what is too old is taken',
    edits: [
      {
        file: MERGE,
        search:
          "if ((flags & this.#againFlags) !== 0 && minute < minuteOf(this.#context.horizon)) return 'too-old';",
        replace: 'void FLAG_AGAIN;',
      },
    ],
    faults: ['prune', 'lose-answer', 'restore-master', 'days-offline'],
    from: 9,
  },
  {
    name: 'a row whose sample was too old counts as known to the master',
    edits: [
      {
        file: ACK,
        search: "sample !== undefined && code === 'too-old'",
        replace: "sample !== undefined && code === 'malformed'",
      },
      {
        file: ACK,
        search: "sample !== undefined && code === 'unknown-connection'",
        replace: "sample !== undefined && code === 'malformed'",
      },
    ],
    faults: ['prune', 'lose-answer', 'days-offline', 'small-batches'],
    from: 5,
  },
  {
    name: 'the horizon stays where it is when records are removed',
    edits: [{ file: RETENTION, search: '.run(horizon);', replace: '.run(horizon > 0 ? 0 : 1);' }],
    faults: ['prune', 'lose-answer', 'restore-master', 'days-offline'],
    from: 9,
  },
  {
    name: 'records are removed while they are open',
    edits: [{ file: RETENTION, search: 'closed_at !== null && arrived_at', replace: 'arrived_at' }],
    faults: ['prune', 'days-offline'],
    from: 1,
  },
  {
    name: 'a removed record stays in memory',
    edits: [
      {
        file: 'src/master/ingest/merger.ts',
        search: 'this.#records.drop(agent_id, id);',
        replace: 'void [agent_id, id];',
      },
    ],
    faults: ['prune', 'lose-answer', 'restore-master', 'days-offline'],
    from: 1,
  },
  {
    name: 'a close is sent before the last sample',
    edits: [
      {
        file: OUTBOX,
        search: 'WHERE close_dirty = 1 AND last_minute < ? AND agent_id = ?',
        replace: 'WHERE close_dirty = 1 AND coalesce(?, 0) >= 0 AND agent_id = ?',
      },
    ],
    faults: ['prune', 'small-batches', 'days-offline'],
    from: 10,
  },
  {
    name: 'a fact store that is ahead of the records is not cut',
    edits: [
      {
        file: 'src/master/store/startup.ts',
        search: 'const cut = plan.cut ? await facts.cutAbove(plan.common) : null;',
        replace: 'const cut = plan.cut ? await facts.cutAbove(Number.MAX_SAFE_INTEGER % 2 ** 31) : null;',
      },
    ],
    faults: ['restore-master'],
    from: 10,
    stride: 10,
  },
  {
    name: 'lots are compared by number alone',
    edits: [
      {
        file: 'src/master/store/startup.ts',
        search: 'facts.find((lot) => tokens.get(lot.lot) === lot.token)',
        replace: 'facts.find((lot) => tokens.has(lot.lot))',
      },
    ],
    faults: ['restore-master'],
    from: 190,
    stride: 10,
  },
  {
    name: 'a lot is confirmed before it is stored',
    edits: [
      {
        file: 'src/master/store/flusher.ts',
        search:
          '    const added = await facts.append(lot, this.#chunks(lot));\n    await source.flushed(lot.lot);\n',
        replace:
          '    await source.flushed(lot.lot);\n    const added = await facts.append(lot, this.#chunks(lot));\n',
      },
      {
        file: 'src/master/store/flusher.ts',
        search: '    this.#aligned = false;\n    this.state.ok = false;',
        replace: '    this.state.ok = false;',
      },
    ],
    faults: ['facts-failing'],
    from: 10,
    stride: 10,
  },
  {
    name: 'lots that are flushed already are not given to an older facts file',
    edits: [
      {
        file: 'src/master/store/flusher.ts',
        search: 'this.#backlog = found.flush;',
        replace: 'this.#backlog = [];',
      },
    ],
    faults: ['facts-restored'],
    from: 10,
    stride: 10,
  },
  {
    name: 'the last lot of a rollup is taken into the next one, too',
    edits: [
      {
        file: 'src/master/store/embedded/rollup.ts',
        search: 'FROM ${fine} WHERE lot > $1::INTEGER AND lot <= $2::INTEGER`;',
        replace: 'FROM ${fine} WHERE lot >= $1::INTEGER AND lot <= $2::INTEGER`;',
      },
    ],
    faults: ['drop'],
    from: 10,
    stride: 10,
  },
  {
    name: 'half hours do not know in which half hour their connection was before',
    edits: [
      {
        file: 'src/master/store/embedded/rollup.ts',
        search: "CASE WHEN ${isFirst} THEN ${halfHourOf('prev')} END AS p",
        replace: 'CASE WHEN ${isFirst} THEN 0 END AS p',
      },
    ],
    faults: ['days-offline'],
    from: 10,
    stride: 10,
  },
  {
    name: 'a cut leaves the half hours of what it takes',
    edits: [
      {
        file: 'src/master/store/embedded/schema.ts',
        search: "export const LOT_TABLES = [...ALL_FACT_TABLES, 'lots'",
        replace: "export const LOT_TABLES = [...Object.values(TIERS.minute), 'lots'",
      },
    ],
    faults: ['restore-master'],
    from: 10,
    stride: 10,
  },
];
