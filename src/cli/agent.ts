import { ConsoleMonitor } from '../agent/monitor/console-monitor.ts';
import { standardOutput } from '../agent/monitor/standard-output.ts';
import { HttpTransport } from '../agent/sync/transport.ts';
import { VERSION } from '../common/program.ts';
import { type AgentParts, buildAgent, coreTarget } from './agent-parts.ts';
import { commandLogger } from './command-log.ts';
import type { ValuesOf } from './config/values.ts';
import type { Program } from './program.ts';

/** `agent`: records one core's connections, and delivers them when there is a master. */
export function agentProgram(values: ValuesOf<'agent'>): Program {
  const logger = commandLogger(values.logLevel);
  const transport =
    values.masterUrl === undefined
      ? null
      : new HttpTransport({ url: values.masterUrl, token: values.masterToken, ca: values.masterCa });
  const monitor = new ConsoleMonitor({ level: values.console, screen: standardOutput(process.env) });
  const parts: AgentParts = buildAgent({
    journalPath: values.localDatabase,
    agentId: values.agentId,
    target: coreTarget(values),
    sampleInterval: values.sampleInterval,
    retentionDays: values.dataRetentionDays,
    journalBudgetMb: values.journalBudget,
    syncInterval: values.syncInterval,
    transport,
    monitor,
    logger,
    check: values.check,
  });
  return {
    logger,
    components: parts.components,
    announce: () =>
      logger.info(
        {
          version: VERSION,
          agent: parts.journal.agentId,
          core: values.mihomoHost,
          master: values.masterUrl ?? 'none: recording only',
          journal: values.localDatabase,
        },
        'agent started',
      ),
  };
}
