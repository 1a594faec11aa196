import { ConsoleMonitor } from '../agent/monitor/console-monitor.ts';
import { standardOutput } from '../agent/monitor/standard-output.ts';
import { VERSION } from '../common/program.ts';
import { LOCAL_AGENT_ID } from '../domain/agent-id.ts';
import { buildAgent, coreTarget } from './agent-parts.ts';
import { commandLogger } from './command-log.ts';
import type { ValuesOf } from './config/values.ts';
import { LocalTransport } from './local-transport.ts';
import { filesBeside } from './master-files.ts';
import { buildMaster } from './master-parts.ts';
import type { Program } from './program.ts';

/** What the agent inside a master keeps of what it delivered; it never has to catch up for long. */
const LOCAL_RETENTION_DAYS = 7;
/** Seconds: in process a delivery costs little, and what it brings is seen at once. */
const LOCAL_SYNC_INTERVAL = 5;
const MB = 1024 * 1024;

/** `master`: stores and answers; with `--mihomo-host` it also collects, as an agent of its own would. */
export function masterProgram(values: ValuesOf<'master'>): Program {
  const logger = commandLogger(values.logLevel);
  const { mihomoHost } = values;
  const parts = buildMaster({
    database: values.database,
    backupDirectory: values.backupDirectory,
    hasLocalAgent: mihomoHost !== undefined,
    http: {
      host: values.listenHost,
      port: values.listenPort,
      apiToken: values.apiToken ?? null,
      allowHosts: values.allowHosts,
      trustedOrigins: values.trustedOrigins,
    },
    retention: {
      days: { minute: values.minuteRetentionDays, half_hour: values.halfHourRetentionDays },
      budget: values.factsBudget === undefined ? null : values.factsBudget * MB,
    },
    recordRetentionDays: values.recordRetentionDays,
    logger,
    check: values.check,
  });
  const components = [...parts.components];
  if (mihomoHost !== undefined) {
    const agent = buildAgent({
      journalPath: filesBeside(values.database).local,
      agentId: LOCAL_AGENT_ID,
      target: coreTarget({ ...values, mihomoHost }),
      sampleInterval: values.sampleInterval,
      retentionDays: LOCAL_RETENTION_DAYS,
      journalBudgetMb: values.journalBudget,
      syncInterval: LOCAL_SYNC_INTERVAL,
      transport: new LocalTransport(parts.ingest, true),
      monitor: new ConsoleMonitor({ level: values.console, screen: standardOutput(process.env) }),
      logger: logger.child({ part: LOCAL_AGENT_ID }),
      check: values.check,
    });
    components.push(...agent.components);
  }
  return {
    logger,
    components,
    announce: () =>
      logger.info(
        {
          version: VERSION,
          database: values.database,
          api: `http://${values.listenHost}:${parts.server.port}/api/v1`,
          core: mihomoHost ?? 'none',
        },
        'master started',
      ),
  };
}
