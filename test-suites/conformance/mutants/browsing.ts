import type { Filter, Page, Stored } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { instead } from './wrap.ts';

type Browse = Breakable['browse'];

const browses = (
  change: (filter: Filter, page: Parameters<Browse>[1], browse: Browse, backend: Breakable) => Promise<Page>,
): BreakIt => {
  return (backend) => instead(backend, 'browse', (browse) => (filter, page) => change(filter, page, browse, backend));
};

/** Shows something else of each event; nothing where it gives undefined. */
const shows = (change: (item: Stored) => Stored | undefined): BreakIt =>
  browses(async (filter, page, browse) => {
    const { items, ...rest } = await browse(filter, page);
    return { ...rest, items: items.map(change).filter((item) => item !== undefined) };
  });

/** Looks for less than was asked for. */
const ignores = (...keys: readonly (keyof Filter)[]): BreakIt =>
  browses((filter, page, browse) =>
    browse(Object.fromEntries(Object.entries(filter).filter(([key]) => !keys.includes(key as keyof Filter))), page),
  );

/** What a browse can get wrong. */
const WRONG: readonly (readonly [string, (item: Stored) => Partial<Stored>])[] = [
  ['the hand-outs', ({ handouts }) => ({ handouts: handouts + 1 })],
  ['the time of publishing', ({ at }) => ({ sentAt: at })],
  ['the due time', ({ at }) => ({ at: Math.floor(at / 1000) })],
  ['the name', ({ queue }) => ({ name: queue })],
  ['the body', ({ body }) => ({ body: body.map((byte) => byte & 127) })],
];

export const browsing: readonly Mutant[] = [
  {
    breaks: 'takes what it shows',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: browses(async (filter, page, browse, backend) => {
      const shown = await browse(filter, page);
      await backend.cancel(filter);
      return shown;
    }),
  },
  {
    breaks: 'shows nothing that is held',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: shows((item) => (item.state === 'held' ? undefined : item)),
  },
  {
    breaks: 'shows what is delayed as ready',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: shows((item) => (item.state === 'delayed' ? { ...item, state: 'ready' } : item)),
  },
  {
    breaks: 'shows events without their bodies',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: shows((item) => ({ ...item, body: new Uint8Array(0) })),
  },
  ...WRONG.map(([field, change]) => ({
    breaks: `shows ${field} otherwise than it is`,
    caughtBy: 'browse.shows-every-field',
    breakIt: shows((item) => ({ ...item, ...change(item) })),
  })),
  {
    breaks: 'shows no keys',
    caughtBy: 'browse.shows-every-field',
    breakIt: shows(({ key: _, ...item }) => item),
  },
  { breaks: 'finds by everything but the name', caughtBy: 'browse.filters', breakIt: ignores('name') },
  { breaks: 'finds by everything but the tid', caughtBy: 'browse.filters', breakIt: ignores('tid') },
  { breaks: 'finds by everything but the key', caughtBy: 'browse.filters', breakIt: ignores('key') },
  { breaks: 'finds everything by an id', caughtBy: 'browse.filters', breakIt: ignores('id') },
  {
    breaks: 'finds by the first key of several',
    caughtBy: 'browse.filters',
    breakIt: browses((filter, page, browse) =>
      filter.tid && filter.name ? browse({ tid: filter.tid }, page) : browse(filter, page),
    ),
  },
  {
    breaks: 'leaves out an event between two pages',
    caughtBy: 'browse.pages',
    breakIt: browses(async (filter, page, browse) => {
      const { items, ...rest } = await browse(filter, page);
      return { ...rest, items: page.after === undefined ? items : items.slice(1) };
    }),
  },
  {
    breaks: 'shows the first page again and again',
    caughtBy: 'browse.pages',
    breakIt: browses((filter, { limit }, browse) => browse(filter, { limit })),
  },
  {
    breaks: 'shows all on one page',
    caughtBy: 'browse.pages',
    breakIt: browses((filter, _, browse) => browse(filter, { limit: 1000 })),
  },
  {
    breaks: 'has one page',
    caughtBy: 'browse.pages',
    breakIt: browses(async (filter, page, browse) => ({ items: (await browse(filter, page)).items })),
  },
];
