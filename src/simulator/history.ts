import { SimulatedCore } from './core.ts';
import type { SimulatedCoreOptions } from './core-options.ts';
import { HOUSEHOLD } from './profiles.ts';

export interface HistoryOptions extends Omit<SimulatedCoreOptions, 'startAt'> {
  /** Epoch milliseconds; the history ends there and has the last step exactly there. */
  to: number;
  days: number;
  /** Simulated milliseconds between two steps: what an agent's sampling interval would have been. */
  stepMs: number;
}

export interface HistoryStep {
  /** True time of the step, epoch milliseconds. */
  at: number;
  /** The core at that instant: take `frame()` or `snapshot()` of it. The same one in every step. */
  core: SimulatedCore;
}

/**
 * Days of a household's traffic in simulated time, step by step, with its nights and evenings. Nothing is stored:
 * the consumer takes each step's message as if it had come over the wire, and after the last step the core can be
 * served on and goes on from there.
 */
export function* history(options: HistoryOptions): Generator<HistoryStep, SimulatedCore> {
  const { to, days, stepMs, ...rest } = options;
  const steps = Math.ceil((days * 86_400_000) / stepMs);
  const core = new SimulatedCore({
    profile: HOUSEHOLD,
    forgetClosed: true,
    ...rest,
    startAt: to - steps * stepMs,
  });
  yield { at: core.now, core };
  for (let step = 0; step < steps; step++) {
    core.advance(stepMs);
    yield { at: core.now, core };
  }
  return core;
}
