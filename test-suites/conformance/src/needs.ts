import type { Capabilities } from 'wrkr/backend';
import type { Need } from './case.ts';

function need(what: string, met: (capabilities: Capabilities) => boolean): Need {
  return { what, met };
}

export const network: Need = need("scope: 'network'", ({ scope }) => scope === 'network');
export const durable: Need = need('durable', (capabilities) => capabilities.durable !== false);
export const serverClock: Need = need("clock: 'server'", ({ clock }) => clock === 'server');
export const virtualTime: Need = need("clock: 'injected'", ({ clock }) => clock === 'injected');
export const timedLease: Need = need('timed leases', ({ lease }) => lease.kind === 'timed');
export const connectionLease: Need = need('connection leases', ({ lease }) => lease.kind === 'connection');
export const delay: Need = need('delay', (capabilities) => capabilities.delay !== false);
export const parks: Need = need('delay without fanOut', ({ delay: can }) => can !== false && !can.fanOut);
export const fifo: Need = need('fifo', (capabilities) => capabilities.fifo);
export const cancelAll: Need = need("cancel: 'all'", ({ cancel }) => cancel === 'all');
export const cancels: Need = need('cancel', ({ cancel }) => cancel !== false);
export const change: Need = need('change', (capabilities) => capabilities.change);
export const dedupe: Need = need('dedupe', (capabilities) => capabilities.dedupe);
export const noDedupe: Need = need('no dedupe', (capabilities) => !capabilities.dedupe);
export const browses: Need = need('browse', ({ browse }) => browse !== false);
export const browseAll: Need = need("browse: 'all'", ({ browse }) => browse === 'all');
export const stats: Need = need('stats', (capabilities) => capabilities.stats !== false);
export const deadBrowse: Need = need("dead: 'browse'", ({ dead }) => dead === 'browse');
export const exactHandouts: Need = need("handouts: 'exact'", ({ handouts }) => handouts === 'exact');
export const seenHandouts: Need = need("handouts: 'exact' or 'flag'", ({ handouts }) => handouts !== 'none');
export const deathIsSeen: Need = need(
  'virtual time or connection leases',
  ({ clock, lease }) => clock === 'injected' || lease.kind === 'connection',
);
export const maxDelay = (ms: number): Need =>
  need(`delay.maxMs of ${ms} ms`, (capabilities) => capabilities.delay !== false && capabilities.delay.maxMs >= ms);
export const filterBy = (key: Capabilities['filter'][number]): Need =>
  need(`filter by ${key}`, ({ filter }) => filter.includes(key));
