import { createHash, randomBytes } from 'node:crypto';
import { CodedError } from '../../common/errors.ts';
import type { ExportFormat } from '../../domain/export.ts';
import type { ExportQuestion } from '../export/export-service.ts';

const LIFE_MS = 30_000;
/** Of all askers together: thirty seconds of them are never many. */
const MAX_TICKETS = 1000;

/** What a URL stands for that can be given to a browser's download. */
export interface Ticket {
  readonly question: ExportQuestion;
  readonly format: ExportFormat;
  /** What its maker presented, to be judged again when it is used; absent where the address was enough. */
  readonly authorization: string | undefined;
}

/** Tickets: 256 random bits each, good once and for 30 s, kept in memory alone, as hashes. */
export class Tickets {
  readonly #now: () => number;
  /** In the order in which they end. */
  readonly #tickets = new Map<string, Ticket & { readonly ends: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws `too_many_requests` where too many wait to be used. `ends`: epoch ms. */
  make(ticket: Ticket): { secret: string; ends: number } {
    const now = this.#now();
    for (const [key, { ends }] of this.#tickets) {
      if (ends > now) break;
      this.#tickets.delete(key);
    }
    if (this.#tickets.size >= MAX_TICKETS) {
      const message = `${MAX_TICKETS} tickets wait to be used`;
      throw new CodedError('too_many_requests', message, { retryAfter: LIFE_MS / 1000 });
    }
    const secret = randomBytes(32).toString('base64url');
    const ends = now + LIFE_MS;
    this.#tickets.set(hashOf(secret), { ...ticket, ends });
    return { secret, ends };
  }

  /** The ticket, which is used up now; null for one that is wrong, used or too old. */
  take(secret: string): Ticket | null {
    const key = hashOf(secret);
    const ticket = this.#tickets.get(key);
    this.#tickets.delete(key);
    return ticket === undefined || ticket.ends <= this.#now() ? null : ticket;
  }
}

/** Looking it up by its hash takes no time that says how much of a guess was right. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
