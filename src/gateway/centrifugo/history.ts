/**
 * Pages of a channel's history, in either direction. A page holds as many publications as were asked for, as the history
 * has, or as fit; whoever reads page after page goes on from the last publication and has reached the end when its offset
 * is the one that the answer names.
 */

import type { TopicHistory } from '../../topic/topic.ts';
import type { ChannelRules, ChannelTopics } from './channel-rules.ts';
import { errors, publicationOf, type Request } from './protocol.ts';

const charactersMax = 512 * 1024;

type HistoryRequest = Request<'history'>;

/** Of publications before `end`, as many of the last `limit` as are kept, the newest first. */
async function before(
  topics: ChannelTopics,
  channel: string,
  end: number | undefined,
  limit: number,
): Promise<TopicHistory> {
  const until = end ?? (await topics.readTopic(channel, { offset: Number.MAX_SAFE_INTEGER, limit: 1 })).head + 1;
  const page = await topics.readTopic(channel, { offset: Math.max(0, until - 1 - limit), limit });
  return { ...page, publications: page.publications.filter(({ offset }) => offset < until).reverse() };
}

/** The result as JSON. Throws `unrecoverable` when what is asked for is not there any more. */
export async function historyOf(
  rules: ChannelRules,
  topics: ChannelTopics,
  { channel, since, limit = 0, reverse = false }: HistoryRequest,
  language: string,
): Promise<string> {
  const top = { offset: Number.MAX_SAFE_INTEGER, limit: 1 };
  const most = limit < 0 ? Number.MAX_SAFE_INTEGER : limit;
  // Nothing comes before the first one.
  if (reverse && since !== undefined && (since.offset ?? 0) === 0) throw errors.badRequest;
  let page: TopicHistory;
  if (limit === 0) page = await topics.readTopic(channel, top);
  else if (reverse) page = await before(topics, channel, since?.offset, Math.min(most, 10_000));
  else page = await topics.readTopic(channel, { offset: since?.offset ?? 0, limit: most });
  const { epoch, head, recovered } = page;
  const isOtherEpoch = since?.epoch !== undefined && since.epoch !== '' && since.epoch !== epoch;
  if (isOtherEpoch || (limit !== 0 && !reverse && since !== undefined && !recovered)) throw errors.unrecoverable;
  const publications: string[] = [];
  let characters = 0;
  for (const publication of limit === 0 ? [] : page.publications) {
    const { data } = await rules.shown(publication);
    const text = publicationOf(typeof data === 'string' ? data : data(language), publication.offset);
    characters += text.length;
    // One at least, so that whoever goes on gets on.
    if (characters > charactersMax && publications.length > 0) break;
    publications.push(text);
  }
  const position = JSON.stringify({ epoch, offset: head });
  return `{"publications":[${publications.join()}],${position.slice(1)}`;
}
