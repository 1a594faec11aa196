import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { CodedError } from '../../common/errors.ts';
import { MINUTE_MS } from '../../domain/bucket.ts';
import { type ExportFormat, MEDIA_TYPES } from '../../domain/export.ts';
import { formatTime } from '../../domain/time.ts';
import { KeptReader } from '../query/kept.ts';
import type { Freshness } from '../query/stats-service.ts';
import type { TrafficQuestion } from '../query/traffic-question.ts';
import type { TrafficService } from '../query/traffic-service.ts';
import { EXPORTED_COLUMNS } from '../records/export-connections.ts';
import type { ExportPart, Records, SelectedConnections } from '../records/query.ts';
import type { ExportFile, FactExport, FactExporter } from '../store/store.ts';
import { Exporting } from './exporting.ts';
import { type FactsQuestion, factText, planFacts } from './fact-export.ts';
import type { LineFormat } from './fact-lines.ts';
import type { Row, Table } from './table.ts';
import { textOf } from './text.ts';
import { trafficTable } from './traffic-table.ts';

export type ExportQuestion =
  | { readonly what: 'facts'; readonly facts: FactsQuestion }
  | { readonly what: 'connections'; readonly connections: SelectedConnections }
  | { readonly what: 'query'; readonly query: TrafficQuestion };

/** What is told of an export beside its rows. Epoch ms. */
export interface AboutExport {
  readonly tier?: string;
  /** What the rows are of; a bound is null where nothing bounds them. */
  readonly from: number | null;
  readonly to: number | null;
  /** False when bounds were moved outwards to what the tier can tell apart. */
  readonly aligned?: boolean;
  /** From where there are rows, when more was asked for and retention has taken it. */
  readonly cutFrom?: number | null;
  readonly freshTo?: number;
}

/** An export whose first rows are there: from here on it can only break off. */
export interface OpenedExport {
  readonly fileName: string;
  readonly mediaType: string;
  readonly about: AboutExport;
  /** Known of files alone. */
  readonly bytes: number | null;
  readonly body: Readable;
  /** To be called when nobody reads any more, whatever happened. */
  close(): Promise<void>;
}

export interface ExportDependencies {
  readonly facts: FactExporter;
  readonly records: Pick<Records, 'exportConnections'>;
  readonly traffic: Pick<TrafficService, 'answer'>;
  readonly freshness: Freshness;
  readonly now?: () => number;
  readonly limits?: Partial<ExportLimits>;
}

export interface ExportLimits {
  /** At once. */
  readonly exports: number;
  /** For all of one, ms. */
  readonly timeMs: number;
  /** That a reader may take nothing, ms. */
  readonly idleMs: number;
}

const LIMITS: ExportLimits = { exports: 2, timeMs: 600_000, idleMs: 60_000 };

/** What an export is made of, before it is written in some format; one of the two is asked for, once. */
interface Source {
  readonly about: AboutExport;
  text(format: LineFormat): AsyncIterable<Uint8Array>;
  parquet(): Promise<ExportFile>;
}

/**
 * Exports: everything that a question finds, piece by piece and no faster than it is read, so that neither the number of
 * rows nor a reader that sleeps costs memory. They take no slot of the questions, and few run at once.
 */
export class ExportService {
  readonly #dependencies: ExportDependencies;
  readonly #now: () => number;
  readonly #limits: ExportLimits;
  readonly #kept = new KeptReader();
  #running = 0;

  constructor(dependencies: ExportDependencies) {
    this.#dependencies = dependencies;
    this.#now = dependencies.now ?? Date.now;
    this.#limits = { ...LIMITS, ...dependencies.limits };
  }

  /** Under way. */
  get running(): number {
    return this.#running;
  }

  /**
   * Resolves when the first rows are there, so that what is wrong with a question is told instead of them. Throws
   * `too_many_requests` when others run, `query_timeout`, `query_too_large`, `disk_full`, and what `POST /query` throws.
   */
  async open(question: ExportQuestion, format: ExportFormat, signal: AbortSignal): Promise<OpenedExport> {
    const { exports, timeMs, idleMs } = this.#limits;
    if (this.#running >= exports) {
      throw new CodedError('too_many_requests', `${exports} exports are under way`, { retryAfter: 30 });
    }
    this.#running++;
    const exporting = new Exporting(signal, { timeMs, idleMs });
    exporting.onEnd(() => {
      this.#running--;
    });
    try {
      const source = await this.#source(question, exporting);
      const { about } = source;
      const name = fileName(question, about, format);
      const opened = { fileName: name, mediaType: MEDIA_TYPES[format], about };
      const close = () => exporting.end();
      if (format !== 'parquet') {
        return { ...opened, bytes: null, body: await exporting.body(source.text(format)), close };
      }
      const { path, bytes } = await source.parquet();
      return { ...opened, bytes, body: await exporting.body(createReadStream(path)), close };
    } catch (error) {
      const reason = exporting.reasonOf(error);
      await exporting.end();
      throw reason;
    }
  }

  #source(question: ExportQuestion, exporting: Exporting): Promise<Source> {
    switch (question.what) {
      case 'facts':
        return this.#facts(question.facts, exporting);
      case 'connections':
        return this.#connections(question.connections, exporting);
      case 'query':
        return this.#query(question.query, exporting);
    }
  }

  async #facts(question: FactsQuestion, exporting: Exporting): Promise<Source> {
    const { freshness } = this.#dependencies;
    await freshness.flushNow();
    const { freshTo } = freshness.state;
    const opened = await this.#openStore(exporting);
    const plan = await planFacts(opened, this.#kept, question, this.#now());
    const { view, statement } = plan;
    const [answered] = view.answered;
    return {
      about: {
        tier: view.source.tier,
        from: answered.from * MINUTE_MS,
        to: answered.to * MINUTE_MS,
        aligned: view.aligned,
        cutFrom: view.cutFrom === null ? null : view.cutFrom * MINUTE_MS,
        freshTo,
      },
      text: (format) => factText(opened, plan, format),
      parquet: () => opened.parquet(statement('parquet')),
    };
  }

  async #connections(query: SelectedConnections, exporting: Exporting): Promise<Source> {
    const { records } = this.#dependencies;
    const rows = recordsOf(records, query, exporting.signal);
    return this.#ofTable({ from: query.from, to: query.to }, { columns: EXPORTED_COLUMNS, rows }, exporting);
  }

  async #query(asked: TrafficQuestion, exporting: Exporting): Promise<Source> {
    const metrics = [...new Set([...(['download', 'upload', 'total'] as const), ...asked.metrics])];
    const question = { ...asked, metrics };
    const answer = await this.#dependencies.traffic.answer(question, { signal: exporting.signal });
    const { range, tier, aligned, range_cut: cut, fresh_to: freshTo } = answer.meta;
    const about = { tier, from: range.from, to: range.to, aligned, cutFrom: cut?.from ?? null, freshTo };
    return this.#ofTable(about, trafficTable(answer, question), exporting);
  }

  async #openStore(exporting: Exporting): Promise<FactExport> {
    const opened = await this.#dependencies.facts.openExport(exporting.signal);
    exporting.onEnd(() => opened.close());
    return opened;
  }

  /** What is not in the fact store. */
  #ofTable(about: AboutExport, table: Table, exporting: Exporting): Source {
    return {
      about,
      text: (format) => textOf(table, format),
      parquet: async () => {
        const opened = await this.#openStore(exporting);
        return await opened.parquetOf(textOf(table, 'ndjson'), table.columns);
      },
    };
  }
}

async function* recordsOf(
  records: Pick<Records, 'exportConnections'>,
  query: SelectedConnections,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  let part: ExportPart | null = null;
  do {
    signal.throwIfAborted();
    const read: Awaited<ReturnType<Records['exportConnections']>> = await records.exportConnections(
      query,
      part,
    );
    yield read.rows;
    part = read.next;
  } while (part !== null);
}

/** `facts_20261101T000000Z_20261108T000000Z.csv` */
function fileName({ what }: ExportQuestion, { from, to }: AboutExport, format: ExportFormat): string {
  const time = (at: number | null) => (at === null ? [] : [formatTime(at).replace(/[-:]|\.\d{3}/g, '')]);
  return `${[what, ...time(from), ...time(to)].join('_')}.${format}`;
}
