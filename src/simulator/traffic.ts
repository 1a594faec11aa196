import type { SimulatedCore } from './core.ts';
import type { EventQueue } from './event-queue.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';

/** What happens by itself: plans the events of a profile. */
export class Traffic {
  readonly #random: Random;
  readonly #profile: Profile;

  constructor(_core: SimulatedCore, _events: EventQueue, profile: Profile, random: Random) {
    this.#random = random;
    this.#profile = profile;
  }

  begin(_afterMs = 0): void {}

  switchProxy(_group: string, _node: string): void {}

  tearsNext(): boolean {
    return this.#profile.tornShare > 0 && this.#random.chance(this.#profile.tornShare);
  }
}
