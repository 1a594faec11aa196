import type { AgentRow } from '../records/query.ts';

export type ReadinessState = 'ok' | 'warning' | 'error';

export interface Readiness {
  state: ReadinessState;
  /** Why it is not ok. */
  reason?: string;
  /** Lengths, ages and bounds of queues, by name. */
  values?: Readonly<Record<string, number | string | null>>;
}

/** A part of the master that can say how it is. `error`: the master cannot serve without it. */
export interface ReadinessProbe {
  readonly name: string;
  check(): Readiness | Promise<Readiness>;
}

export interface ReadinessReport {
  state: ReadinessState;
  components: Record<string, Readiness>;
}

/** Asks all; one that throws is in error, and its text stays out of the answer. */
export async function checkReadiness(probes: readonly ReadinessProbe[]): Promise<ReadinessReport> {
  const components: Record<string, Readiness> = {};
  await Promise.all(
    probes.map(async (probe) => {
      try {
        components[probe.name] = await probe.check();
      } catch {
        components[probe.name] = { state: 'error', reason: 'could not be checked; see the log' };
      }
    }),
  );
  const states = Object.values(components).map((component) => component.state);
  const state = states.includes('error') ? 'error' : states.includes('warning') ? 'warning' : 'ok';
  return { state, components };
}

/** Ages in milliseconds, null = never: a feed that stands still is visible while everything else is green. */
export function agentAges(agents: readonly AgentRow[], now: number) {
  const age = (at: number): number | null => (at === 0 ? null : Math.max(0, now - at));
  return agents.map((agent) => ({
    agent_id: agent.agentId,
    snapshot_age_ms: age(agent.lastSnapshot),
    sync_age_ms: age(agent.lastContact),
  }));
}
