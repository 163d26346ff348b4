import type { Ms } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import type { Intake } from './intake.ts';

/**
 * Keeps what this process holds: one timer for all of it, every third of a lease, and none while nothing is held. Connection
 * leases need no keeping.
 */
export class Leases {
  readonly #core: Core;
  readonly #intakes = new Set<Intake>();
  #cancel: (() => void) | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  add(intake: Intake): void {
    this.#intakes.add(intake);
  }

  remove(intake: Intake): void {
    this.#intakes.delete(intake);
  }

  /** Something with a lease that ends by itself is held now. */
  wake(): void {
    this.#cancel ??= this.#core.clock.after(this.#leaseMs / 3, this.#turn);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#intakes.clear();
  }

  get #leaseMs(): Ms {
    return this.#core.settings.leaseMs;
  }

  readonly #turn = (): void => {
    this.#cancel = undefined;
    const holding = [...this.#intakes].filter((intake) => intake.keeps);
    if (holding.length === 0) return;
    this.wake();
    for (const intake of holding) void intake.extend(this.#leaseMs);
  };
}
