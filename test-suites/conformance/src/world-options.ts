import type { Capabilities, Ms, Outgoing, QueueKind } from 'wrkr/backend';
import type { Harness } from './harness.ts';

export interface ConsumeSettings {
  readonly max?: number;
  readonly leaseMs?: Ms;
  readonly kind?: QueueKind;
}

/** An event to send; what is left out is made up. */
export type Sending = Partial<Omit<Outgoing, 'to'>> & Pick<Outgoing, 'to'>;

export interface WorldOptions {
  readonly harness: Harness;
  readonly capabilities: Capabilities;
  /** A word that no other case has. */
  readonly prefix: string;
  /** How long to wait for what must happen. */
  readonly mustComeMs: Ms;
}
