import type { Socket } from 'node:net';
import { http } from '../built-in.ts';
import { type CoreTarget, connectTo } from './core-target.ts';
import { type GetOutcome, get } from './http-get.ts';
import { MAX_FRAME_BYTES, type Transport, type TransportEnd, type TransportEvents } from './transport.ts';

/** One connection that is kept between requests. */
class TargetAgent extends http.Agent {
  readonly #target: CoreTarget;

  constructor(target: CoreTarget) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#target = target;
  }

  override createConnection(): Socket {
    return connectTo(this.#target);
  }
}

/**
 * Asks for a snapshot every `intervalMs`, for a reverse proxy that lets no WebSocket through. Requests never
 * overlap: behind a slow core they come one after another. Ends at the first that is not answered with status 200.
 */
export function openPolling(
  target: CoreTarget,
  intervalMs: number,
  timeoutMs: number,
  events: TransportEvents,
): Transport {
  const agent = new TargetAgent(target);
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  let kept = false;
  const close = () => {
    over = true;
    clearTimeout(timer);
    abort();
    agent.destroy();
  };
  const end = (how: TransportEnd) => {
    close();
    events.ended(how);
  };
  const ask = () => {
    const begun = performance.now();
    abort = get(target, '/connections', { agent, timeoutMs, maxBytes: MAX_FRAME_BYTES }, (outcome) => {
      if (over) return;
      if (outcome.kind === 'failed' && kept) {
        // The other side may have ended the idle connection in the moment of asking.
        kept = false;
        return ask();
      }
      const failure = failureOf(outcome);
      if (failure !== undefined) return end(failure);
      kept = true;
      timer = setTimeout(ask, Math.max(0, intervalMs - (performance.now() - begun)));
      if (outcome.kind === 'answer') events.frame(outcome.body);
    });
  };
  ask();
  return { polled: true, close };
}

function failureOf(outcome: GetOutcome): TransportEnd | undefined {
  if (outcome.kind === 'failed') return { kind: 'gone', detail: outcome.detail, upgraded: true };
  if (outcome.kind === 'silent') return { kind: 'silent', detail: outcome.detail };
  if (outcome.status === 401) return { kind: 'unauthorized' };
  if (outcome.status === 200) return undefined;
  return {
    kind: 'gone',
    detail: `GET /connections was answered with status ${outcome.status}`,
    upgraded: true,
  };
}
