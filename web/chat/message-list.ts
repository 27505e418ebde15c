/**
 * The messages of a room as a list in the room's order, made of pages and of news. A message is in it once, whatever
 * arrives twice or late; what is older than the list's beginning stays out, since it would leave a hole.
 *
 * The room's channel tells the order. A message's time does not: it is that of its sender's command, and two that were
 * written at once may be settled the other way round.
 */

import type { MessageDto } from '../../machines/vocabulary.ts';

export interface MessageList {
  readonly messages: readonly MessageDto[];
  /** Ids of those at the end that their outcome told of before the room did. */
  readonly unplaced: readonly string[];
}

export interface Change extends MessageList {
  /** A message that was not there. */
  readonly isNew: boolean;
}

/** As it was written: the room tells it so once, when it is new. Every change of a message leaves its mark on it. */
export function isUntouched({ modified, read, translations }: MessageDto): boolean {
  return !modified && read.length === 0 && translations.length === 0;
}

/** With a message as the room tells it: in its place, at the end, or nowhere. */
export function withMessage({ messages, unplaced }: MessageList, message: MessageDto): Change {
  const at = messages.findIndex(({ id }) => id === message.id);
  const isKnown = at >= 0;
  if (isKnown && !unplaced.includes(message.id)) {
    return { messages: messages.with(at, message), unplaced, isNew: false };
  }
  // A change of a message of a time that is not here: its page has it when it is read.
  if (!isKnown && !isUntouched(message)) return { messages, unplaced, isNew: false };
  const end = messages.length - unplaced.length;
  const others = isKnown ? messages.toSpliced(at, 1) : messages;
  return {
    messages: others.toSpliced(end, 0, message),
    unplaced: unplaced.filter((id) => id !== message.id),
    isNew: !isKnown,
  };
}

/**
 * With what an operation of one's own has made of a message. The outcome comes on another channel than the room's news,
 * and may be older than they are: of a message that is here it tells what only grows.
 */
export function withOutcome({ messages, unplaced }: MessageList, made: MessageDto, isCreated: boolean): MessageList {
  const at = messages.findIndex(({ id }) => id === made.id);
  const known = messages[at];
  if (known !== undefined) return { messages: messages.with(at, merged(known, made)), unplaced };
  return isCreated ? { messages: [...messages, made], unplaced: [...unplaced, made.id] } : { messages, unplaced };
}

function merged(known: MessageDto, made: MessageDto): MessageDto {
  const languages = new Set(known.translations.map(({ language }) => language));
  return {
    ...known,
    read: [...new Set([...known.read, ...made.read])],
    translations: [...known.translations, ...made.translations.filter(({ language }) => !languages.has(language))],
  };
}

/** The newest page, and behind it what news had brought meanwhile. */
export function withNewestPage({ messages, unplaced }: MessageList, page: readonly MessageDto[]): MessageList {
  const known = new Set(page.map(({ id }) => id));
  const lastKnown = messages.findLastIndex(({ id }) => known.has(id));
  const lastAt = page.at(-1)?.dateCreated ?? 0;
  const behind =
    lastKnown >= 0 ? messages.slice(lastKnown + 1) : messages.filter(({ dateCreated }) => dateCreated >= lastAt);
  const isBehind = new Set(behind.map(({ id }) => id));
  return { messages: [...page, ...behind], unplaced: unplaced.filter((id) => isBehind.has(id)) };
}

/** A page before the list. */
export function withOlderPage(messages: readonly MessageDto[], page: readonly MessageDto[]): readonly MessageDto[] {
  const known = new Set(messages.map(({ id }) => id));
  return [...page.filter(({ id }) => !known.has(id)), ...messages];
}

/** The last message alone, of a room that nobody looks at. */
export function lastOnly({ messages, unplaced }: MessageList): MessageList {
  const last = messages.slice(-1);
  return { messages: last, unplaced: unplaced.filter((id) => id === last[0]?.id) };
}

/**
 * By message, who of the others has read up to there and no further: whoever read a message has read those before it.
 * Senders have read what they wrote, and are not named at it.
 */
export function receiptsOf(messages: readonly MessageDto[], ownId: string): ReadonlyMap<string, readonly string[]> {
  const found = new Set<string>([ownId]);
  const receipts = new Map<string, readonly string[]>();
  for (const { id, senderId, read } of messages.toReversed()) {
    const readers = read.filter((userId) => !found.has(userId) && userId !== senderId);
    if (readers.length > 0) receipts.set(id, readers);
    for (const userId of [...readers, senderId]) found.add(userId);
  }
  return receipts;
}

/** The newest message of others that one has not read, in a list whose end is seen. */
export function unreadEnd(messages: readonly MessageDto[], ownId: string): MessageDto | undefined {
  const last = messages.at(-1);
  if (last === undefined || last.senderId === ownId || last.read.includes(ownId)) return undefined;
  return last;
}

export interface Line {
  readonly message: MessageDto;
  /** The first, and the last, of several in a row by one sender. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

export interface Day {
  /** Midnight before, local. */
  readonly at: number;
  readonly lines: readonly Line[];
}

const togetherMs = 5 * 60_000;

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function isTogether(before: MessageDto, message: MessageDto): boolean {
  return before.senderId === message.senderId && message.dateCreated - before.dateCreated < togetherMs;
}

/** By day, and within it by who wrote several in a row, a few minutes apart at most. */
export function daysOf(messages: readonly MessageDto[]): readonly Day[] {
  const days: { at: number; lines: Line[] }[] = [];
  for (const message of messages) {
    const at = midnight(message.dateCreated);
    const day = days.at(-1);
    // A day that has begun does not end with a message that was written before it, and settled in it.
    if (day === undefined || at > day.at) {
      days.push({ at, lines: [{ message, isFirst: true, isLast: true }] });
      continue;
    }
    const before = day.lines.at(-1) as Line;
    const isFirst = !isTogether(before.message, message);
    if (!isFirst) day.lines[day.lines.length - 1] = { ...before, isLast: false };
    day.lines.push({ message, isFirst, isLast: true });
  }
  return days;
}
