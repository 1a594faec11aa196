import { readFileSync } from 'node:fs';
import { AgentClock } from '../agent/clock.ts';
import { parseCoreAddress } from '../agent/collector/address.ts';
import { Collector } from '../agent/collector/collector.ts';
import type { CoreTarget } from '../agent/collector/core-target.ts';
import { Journal } from '../agent/journal/journal.ts';
import { JOURNAL_FILE } from '../agent/journal/schema.ts';
import type { ConsoleMonitor } from '../agent/monitor/console-monitor.ts';
import { Recorder } from '../agent/recorder/recorder.ts';
import { SyncEngine } from '../agent/sync/engine.ts';
import { Syncer } from '../agent/sync/syncer.ts';
import type { Transport } from '../agent/sync/transport.ts';
import type { Component } from '../common/component.ts';
import { CodedError } from '../common/errors.ts';
import { FileLock } from '../common/file-lock.ts';
import { inspectStore } from '../common/inspect-store.ts';
import type { Logger } from '../common/logger.ts';
import { BUILD_DATE, VERSION } from '../common/program.ts';

const MEGABYTE = 1024 * 1024;

export interface CoreFlags {
  mihomoHost: string;
  mihomoPort: number;
  mihomoToken: string | undefined;
  mihomoCa: string | undefined;
  mihomoInsecure: boolean;
}

/** Where the core is, from the flags; throws what a person must mend. */
export function coreTarget(flags: CoreFlags): CoreTarget {
  const parsed = parseCoreAddress(flags.mihomoHost, flags.mihomoPort);
  if (!parsed.ok) throw new CodedError('bad_request', `--mihomo-host ${flags.mihomoHost} ${parsed.problem}`);
  const { host, port, secure, basePath, socketPath } = parsed.address;
  const ca = flags.mihomoCa === undefined ? undefined : readCa(flags.mihomoCa, '--mihomo-ca');
  return {
    host,
    port,
    token: flags.mihomoToken ?? '',
    ...(secure ? { tls: { ca, insecure: flags.mihomoInsecure } } : {}),
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(basePath === '' ? {} : { basePath }),
  };
}

export function readCa(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('file_unusable', `${flag} ${path} cannot be read: ${(error as Error).message}`);
  }
}

export interface AgentParts {
  journal: Journal;
  recorder: Recorder;
  collector: Collector;
  syncer: Syncer | null;
  engine: SyncEngine | null;
  /** In the order in which they start. */
  components: Component[];
}

export interface AgentSetup {
  journalPath: string;
  agentId: string | undefined;
  target: CoreTarget;
  sampleInterval: 'auto' | number;
  retentionDays: number;
  journalBudgetMb: number;
  /** Seconds. */
  syncInterval: number;
  /** Null: the agent only records. */
  transport: Transport | null;
  monitor?: ConsoleMonitor | undefined;
  logger: Logger;
  /** `--check`: the journal's file is looked at, and neither made nor changed nor locked. */
  check?: boolean;
}

function openJournal({ journalPath, agentId, check }: AgentSetup): { journal: Journal; release: () => void } {
  if (check) {
    inspectStore(journalPath, JOURNAL_FILE);
    return { journal: new Journal({ path: ':memory:', agentId }), release: () => {} };
  }
  const lock = FileLock.take(journalPath, JOURNAL_FILE.kind);
  try {
    return { journal: new Journal({ path: journalPath, agentId }), release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** An agent, constructed and inert: the command's own, the one inside a master, those of the demo. */
export function buildAgent(setup: AgentSetup): AgentParts {
  const { logger, transport } = setup;
  const { journal, release } = openJournal(setup);
  const clock = new AgentClock({
    newestMinute: journal.newestMinute(),
    buildDate: BUILD_DATE,
    onStepped: (from, to) => logger.warn({ from, to }, 'clock-stepped: going on from the time of the master'),
  });
  const budget = setup.journalBudgetMb * MEGABYTE;
  const recorder = new Recorder({
    journal,
    clock,
    logger,
    monitor: setup.monitor,
    retentionDays: setup.retentionDays,
    journalBudget: budget,
  });
  const collector = new Collector({
    target: setup.target,
    interval: setup.sampleInterval,
    sink: recorder,
    clock,
    logger,
  });
  const file: Component = {
    name: 'journal',
    start: () => {},
    stop: () => {
      journal.close();
      release();
    },
  };
  let engine: SyncEngine | null = null;
  let syncer: Syncer | null = null;
  if (transport !== null) {
    engine = new SyncEngine({
      journal,
      transport,
      clock,
      interval: setup.syncInterval,
      logger,
      report: () => ({
        core: {
          version: collector.version.slice(0, 128),
          state: collector.state,
          last_snapshot: recorder.lastSnapshot ?? 0,
        },
        version: VERSION,
        sampleInterval: Math.round(collector.interval),
        journalBudget: budget,
      }),
    });
    syncer = new Syncer({
      engine,
      transport,
      interval: setup.syncInterval,
      flush: (settle) => recorder.flush(settle),
      now: () => clock.now(),
      logger,
    });
  }
  // Stopped in reverse: the feed first, then a last flush, a last sync, and the file at the very end.
  const components: Component[] = [file];
  if (syncer !== null) components.push(syncer);
  components.push(recorder);
  if (setup.monitor !== undefined) components.push(setup.monitor);
  components.push(collector);
  return { journal, recorder, collector, syncer, engine, components };
}
