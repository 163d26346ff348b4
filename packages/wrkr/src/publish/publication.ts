import type { BackendError, Deduplicated, Ms, Outgoing } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import { insteadOf, publishedOf, type Receipt } from './event-input.ts';
import { Letter } from './letter.ts';

/** An event on its way for a publisher, who is told what became of it. */
abstract class Publication extends Letter {
  readonly #core: Core;

  constructor(core: Core, event: Outgoing) {
    super(event);
    this.#core = core;
  }

  override get patienceMs(): Ms {
    return this.#core.settings.publishTimeoutMs;
  }

  override stored(instead: Deduplicated | undefined): void {
    if (!instead && this.#core.listens('published')) this.#core.emit('published', publishedOf(this));
    this.succeed(insteadOf(this, instead));
  }

  override failed(error: BackendError, applied: 'no' | 'maybe'): void {
    this.fail(fromBackend(error, `'${this.name}' was not published`, applied));
  }

  protected abstract succeed(receipt: Receipt): void;
  protected abstract fail(error: WrkrError): void;
}

export class SinglePublication extends Publication {
  readonly #resolve: (receipt: Receipt | Promise<never>) => void;

  constructor(core: Core, event: Outgoing, resolve: (receipt: Receipt | Promise<never>) => void) {
    super(core, event);
    this.#resolve = resolve;
  }

  protected override succeed(receipt: Receipt): void {
    this.#resolve(receipt);
  }

  protected override fail(error: WrkrError): void {
    this.#resolve(Promise.reject(error));
  }
}

/** One of several that were published by one call. */
export class JointPublication extends Publication {
  readonly #together: Together;
  readonly #index: number;

  constructor(core: Core, event: Outgoing, together: Together, index: number) {
    super(core, event);
    this.#together = together;
    this.#index = index;
  }

  protected override succeed(receipt: Receipt): void {
    this.#together.done(this.#index, receipt);
  }

  protected override fail(error: WrkrError): void {
    this.#together.done(this.#index, error);
  }
}

/** What became of several, told when the last is done. */
export class Together {
  readonly #results: (Receipt | WrkrError)[];
  readonly #resolve: (receipts: readonly Receipt[]) => void;
  readonly #reject: (error: WrkrError) => void;
  #left: number;

  constructor(count: number, resolve: (receipts: readonly Receipt[]) => void, reject: (error: WrkrError) => void) {
    this.#results = new Array(count);
    this.#left = count;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  done(index: number, result: Receipt | WrkrError): void {
    this.#results[index] = result;
    if (--this.#left > 0) return;
    const results = this.#results;
    const errors = results.filter((one) => one instanceof WrkrError);
    if (errors.length === 0) {
      this.#resolve(results as Receipt[]);
      return;
    }
    const message = `${errors.length} of ${results.length} events were not published: see results, in the order of the events`;
    const applied = errors.length === results.length && errors.every((error) => error.applied === 'no') ? 'no' : 'maybe';
    this.#reject(new WrkrError('WRKR_PUBLISH_PARTIAL', message, { results, applied }));
  }
}
