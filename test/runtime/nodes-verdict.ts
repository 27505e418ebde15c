/** What is wrong with the order of what a history of nodes has noted, and with what was heard of its topic. */

import type { Publication } from '../../src/topic/topic.ts';

export interface Heard {
  readonly node: string;
  readonly publications: Publication[];
  /** The topic's head at the moment from which everything is heard; undefined before. */
  since: number | undefined;
  isAlive: boolean;
}

/** What one client told one actor was noted in the order in which it was told; so was what one actor told another. */
export function judgeOrder(
  told: readonly { readonly key: string; readonly client: string }[],
  notes: ReadonlyMap<string, readonly string[]>,
): string[] {
  const clients = new Map(told.map(({ key, client }) => [key, client]));
  const problems: string[] = [];
  for (const [id, keys] of notes) {
    const bySender = new Map<string, number[]>();
    for (const key of keys) {
      const [number, by] = key.split(' by ');
      // An actor that was told by two clients tells on in the order in which it noted.
      if (by !== undefined) continue;
      const sender = clients.get(key)!;
      bySender.set(sender, [...(bySender.get(sender) ?? []), Number(number)]);
    }
    for (const [sender, numbers] of bySender) {
      if (numbers.some((n, index) => index > 0 && n < numbers[index - 1]!)) {
        problems.push(`${id} noted ${numbers} of ${sender}`);
      }
    }
  }
  return problems;
}

/** Everybody heard everything that was published, once and in order, from the moment on at which they were told so. */
export function judgeNews(
  listeners: readonly Heard[],
  publications: readonly Publication[],
  notes: ReadonlyMap<string, readonly string[]>,
): string[] {
  const news = publications.map(({ data }) => data as string);
  const noted = [...notes.values()].flat().filter((key) => !key.includes(' by '));
  const problems: string[] = [];
  if ([...news].sort().join() !== [...noted].sort().join()) problems.push(`published ${news}, noted ${noted}`);
  for (const { node, publications: heard, since, isAlive } of listeners) {
    const offsets = heard.map(({ offset }) => offset);
    if (heard.some(({ offset, data }) => news[offset - 1] !== data)) problems.push(`${node} heard what was not said`);
    if (offsets.some((offset, index) => index > 0 && offset !== offsets[index - 1]! + 1)) {
      problems.push(`${node} heard the offsets ${offsets}`);
    }
    if (!isAlive || since === undefined) continue;
    const last = offsets.at(-1) ?? since;
    if (last !== news.length) problems.push(`${node} heard up to ${last} of ${news.length}, since ${since}`);
    if (offsets.length > 0 && offsets[0]! > since + 1)
      problems.push(`${node} heard from ${offsets[0]} on, since ${since}`);
  }
  return problems;
}
