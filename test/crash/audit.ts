/**
 * What a crash test's store must hold in the end: every acknowledged operation exactly once, nothing that failed, every
 * operation ended, in an order that agrees with what clients saw. It reads as clients do.
 */

import type { MessageDto, RoomDto } from '../../actors/contract.ts';
import type { Answer } from '../e2e/http-client.ts';
import type { Entry, Ledger } from './ledger.ts';

/** Reads under way at once. */
const readsMax = 16;

/** Somebody's eyes. */
export interface AuditClient {
  /** A read, repeated until it is answered. */
  get<T>(path: string): Promise<Answer<T>>;
  /** Looks again at an operation that was answered once. */
  settle(entry: Entry): Promise<void>;
}

export interface AuditContext {
  readonly ledger: Ledger;
  /** Clients by the email of their account. */
  readonly clientOf: (email: string) => AuditClient;
}

export async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: readsMax }, lane));
}

/** Every operation that was ever answered has ended, as it was told. */
export async function auditOperations({ ledger, clientOf }: AuditContext): Promise<void> {
  await forEach(ledger.entries, (entry) => clientOf(entry.who.email).settle(entry));
}

export async function messagesOf(client: AuditClient, roomId: string): Promise<readonly MessageDto[]> {
  const pages: (readonly MessageDto[])[] = [];
  for (let path: string | undefined = `/v1/rooms/${roomId}/messages?limit=200`; path !== undefined; ) {
    const { headers, body }: { headers: Headers; body: readonly MessageDto[] } = await client.get(path);
    pages.unshift(body);
    path = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
  }
  return pages.flat();
}

function differences(what: string, shown: readonly string[], expected: readonly string[]): readonly string[] {
  const [found, wanted] = [new Set(shown), new Set(expected)];
  return [
    ...expected.filter((id) => !found.has(id)).map((id) => `${what} lacks ${id}, which completed`),
    ...shown.filter((id) => !wanted.has(id)).map((id) => `${what} has ${id}, which did not complete`),
    ...(found.size === shown.length ? [] : [`${what} has something twice`]),
  ];
}

function dataOf({ command }: Entry): Readonly<Record<string, string>> {
  return command.data as Readonly<Record<string, string>>;
}

function by<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** What was answered before something else was sent comes before it. */
function misorder(entries: readonly Entry[], messages: readonly MessageDto[]): readonly string[] {
  const entryOf = new Map(entries.map((entry) => [entry.outcome?.result?.id, entry]));
  let newest = 0;
  for (const { id } of messages) {
    const entry = entryOf.get(id);
    if (entry?.ended === undefined) continue;
    if (entry.ended < newest) return [`${entry.key} stands behind a message that was sent after it had been answered`];
    newest = Math.max(newest, entry.sent);
  }
  return [];
}

function wrongContents(
  message: MessageDto,
  created: Entry,
  edits: readonly Entry[],
  reads: readonly Entry[],
  translations: readonly Entry[],
): readonly string[] {
  const contents = edits.length === 0 ? [dataOf(created).content] : edits.map((entry) => dataOf(entry).content);
  const wrong: string[] = [];
  if (!contents.includes(message.content) || message.modified !== edits.length > 0) {
    wrong.push(`message ${message.id} says "${message.content}" after ${edits.length} edits`);
  }
  const readers = [...new Set(reads.map(({ who }) => who.id))];
  wrong.push(...differences(`message ${message.id}`, message.read, readers));
  const translated = translations.map((entry) => `${dataOf(entry).language}: ${dataOf(entry).translation}`);
  const shown = message.translations.map(({ language, translation }) => `${language}: ${translation}`);
  wrong.push(...differences(`message ${message.id}`, shown, translated));
  return wrong;
}

function idOf(entry: Entry): string {
  return entry.outcome?.result?.id ?? '';
}

function membersOf(created: Entry, additions: readonly Entry[]): readonly string[] {
  return [
    ...new Set([
      created.who.id,
      dataOf(created).companionUserId!,
      ...additions.map((entry) => dataOf(entry).memberId!),
    ]),
  ];
}

/** Rooms and messages are those of the completed operations, each once. */
export async function auditRooms({ ledger, clientOf }: AuditContext): Promise<void> {
  const created = ledger.completed('ROOM_CREATE');
  const written = by(ledger.completed('MESSAGE_CREATE'), (entry) => dataOf(entry).roomId!);
  const additions = by(ledger.completed('ROOM_ADD_MEMBER'), (entry) => dataOf(entry).roomId!);
  const ofMessage = (saga: 'MESSAGE_UPDATE' | 'MESSAGE_READ' | 'MESSAGE_TRANSLATE') =>
    by(ledger.completed(saga), (entry) => dataOf(entry).messageId!);
  const [edits, reads, translations] = [
    ofMessage('MESSAGE_UPDATE'),
    ofMessage('MESSAGE_READ'),
    ofMessage('MESSAGE_TRANSLATE'),
  ];
  const say = (sentences: readonly string[]): void => {
    for (const sentence of sentences) ledger.violation(undefined, sentence);
  };
  await forEach(created, async (entry) => {
    const roomId = idOf(entry);
    const client = clientOf(entry.who.email);
    const { body: room } = await client.get<RoomDto>(`/v1/rooms/${roomId}`);
    say(differences(`room ${roomId}`, room.members ?? [], membersOf(entry, additions.get(roomId) ?? [])));
    const messages = await messagesOf(client, roomId);
    const entries = written.get(roomId) ?? [];
    const shown = messages.map(({ id }) => id);
    say(differences(`room ${roomId}`, shown, entries.map(idOf)));
    say(misorder(entries, messages));
    for (const message of messages) {
      const own = entries.find((other) => idOf(other) === message.id);
      const { id } = message;
      if (own !== undefined)
        say(wrongContents(message, own, edits.get(id) ?? [], reads.get(id) ?? [], translations.get(id) ?? []));
    }
  });
  await auditLists({ ledger, clientOf }, created, say);
}

/** Each creator has exactly the rooms it created. */
async function auditLists(
  { clientOf }: AuditContext,
  created: readonly Entry[],
  say: (sentences: readonly string[]) => void,
): Promise<void> {
  const groups = [...by(created, ({ who }) => who.email)];
  await forEach(groups, async ([email, entries]) => {
    const { body } = await clientOf(email).get<readonly RoomDto[]>('/v1/rooms');
    const own = body.filter(({ createdBy }) => createdBy === entries[0]?.who.id);
    say(
      differences(
        `the list of ${email}`,
        own.map(({ id }) => id),
        entries.map(idOf),
      ),
    );
  });
}
