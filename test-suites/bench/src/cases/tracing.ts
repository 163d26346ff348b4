import { tracingChannel } from 'node:diagnostics_channel';

export interface Tracing {
  readonly checks: number;
}

/** What it costs at most to ask whether anybody listens to a tracing channel: nanoseconds, the loop around it included. */
export async function tracing({ checks }: Tracing): Promise<number> {
  const channels = Array.from({ length: 8 }, (_, i) => tracingChannel(`bench.${i}`));
  ask(channels, checks); // warm-up
  return ask(channels, checks);
}

/** Several channels in turn, so that no compiler asks once for all. */
function ask(channels: readonly { readonly hasSubscribers: boolean }[], checks: number): number {
  let listened = 0;
  const began = performance.now();
  for (let i = 0; i < checks; i++) if (channels[i & 7]?.hasSubscribers) listened++;
  if (listened > 0) throw new Error('nobody was to listen');
  return ((performance.now() - began) / checks) * 1e6;
}
