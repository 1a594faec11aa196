import { type CommandOptions, RunningCommand } from './command.ts';

export interface AgentOptions extends CommandOptions {
  journal: string;
  agentId?: string;
  /** Port of the core on 127.0.0.1, or its address as `--mihomo-host` takes it. */
  core: number | string;
  /** Base address; without one the agent only records. */
  masterUrl?: string;
  /** Seconds, default 1. */
  syncInterval?: number;
  args?: readonly string[];
}

/** An agent process; it sees a snapshot every 250 ms and delivers every second, unless told otherwise. */
export function startAgent(options: AgentOptions): RunningCommand {
  const { journal, agentId, core, masterUrl, syncInterval = 1, args = [] } = options;
  const host = typeof core === 'string' ? ['--mihomo-host', core] : ['--mihomo-port', `${core}`];
  return new RunningCommand(
    [
      'agent',
      ...['--local-database', journal, ...host, '--sync-interval', `${syncInterval}`],
      ...(agentId === undefined ? [] : ['--agent-id', agentId]),
      ...(masterUrl === undefined ? [] : ['--master-url', masterUrl]),
      ...['--sample-interval', '250', '--console', 'off'],
      ...args,
    ],
    options,
  );
}
