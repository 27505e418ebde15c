/** Finding people by name: to begin a chat with one, or to add one to a room. */

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { RoomDto, UserDto } from '../../machines/vocabulary.ts';
import { Avatar } from '../shared/avatar.tsx';
import { Dialog } from '../shared/dialog.tsx';
import { Icon } from '../shared/icon.tsx';
import { languageName, useLanguage } from '../shared/language.ts';
import type { Problem } from '../shared/problem.ts';
import { useChat, useSession } from './chat-context.ts';
import { nameOf, othersOf } from './names.ts';
import { go } from './route.ts';
import { type ChatTexts, useTexts } from './texts.ts';
import { useOperation } from './use-operation.ts';

/** A pause in typing before the server is asked. */
const pauseMs = 200;

function useFound(query: string): readonly UserDto[] | 'failed' | undefined {
  const session = useSession();
  const isOnline = useChat(({ connection }) => connection === 'online');
  const [found, setFound] = useState<readonly UserDto[] | 'failed' | undefined>(undefined);
  useEffect(() => {
    let isLate = false;
    const timer = window.setTimeout(() => {
      session.findPeople(query.trim()).then(
        (people) => {
          if (!isLate) setFound(people);
        },
        () => {
          // The next connection, or another name, tries again.
          if (!isLate) setFound('failed');
        },
      );
    }, pauseMs);
    return () => {
      isLate = true;
      window.clearTimeout(timer);
    };
  }, [session, query, isOnline]);
  return found;
}

interface SearchProps {
  readonly isBusy: boolean;
  readonly problem: Problem | undefined;
  /** Who cannot be chosen. */
  readonly excluded: readonly string[];
  onChoose(user: UserDto): void;
}

function PersonRow({
  user,
  isExcluded,
  onChoose,
}: {
  readonly user: UserDto;
  readonly isExcluded: boolean;
  onChoose(): void;
}) {
  const texts = useTexts();
  const tag = useLanguage();
  const name = nameOf(user, texts);
  return (
    <li>
      <button type="button" class="person-row" aria-disabled={isExcluded} onClick={() => !isExcluded && onChoose()}>
        <Avatar id={user.id} name={name} />
        <span class="person-text">
          <span class="person-name">{name}</span>
          <span class="muted small">
            {isExcluded ? texts.people.already : languageName(user.primaryLanguage, tag)}
            {user.type === 'TRANSLATOR' && ` · ${texts.people.translator}`}
          </span>
        </span>
      </button>
    </li>
  );
}

/** What the search has come to, in words. */
function outcomeOf(found: ReturnType<typeof useFound>, texts: ChatTexts): string {
  if (found === undefined) return texts.loading;
  if (found === 'failed') return texts.loadFailed;
  return found.length === 0 ? texts.people.none : texts.people.found(found.length);
}

function PeopleSearch({ isBusy, problem, excluded, onChoose }: SearchProps) {
  const [query, setQuery] = useState('');
  const texts = useTexts();
  const found = useFound(query);
  const people = found === 'failed' || found === undefined ? [] : found;
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  /** Arrows go through the list, and from its first person back to the field. */
  const move = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const rows = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLButtonElement);
    const next = event.key === 'ArrowDown' ? rows[at + 1] : rows[at - 1];
    if (next !== undefined) next.focus();
    else if (event.key === 'ArrowUp') document.getElementById(id)?.focus();
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrows are a shortcut; Tab reaches everything.
    <div class="people-search" onKeyDown={move}>
      <div class="search">
        <Icon name="search" />
        <input
          id={id}
          class="input"
          type="search"
          aria-label={texts.people.search}
          placeholder={texts.people.search}
          value={query}
          autocomplete="off"
          // The dialog was opened to type here.
          autofocus
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </div>
      {problem !== undefined && (
        <p class="notice danger" role="alert">
          {problem.detail}
        </p>
      )}
      <p class="hint" role="status">
        {isBusy ? texts.people.busy : outcomeOf(found, texts)}
      </p>
      <ul class="people" ref={list}>
        {people.map((user) => (
          <PersonRow
            key={user.id}
            user={user}
            isExcluded={excluded.includes(user.id)}
            onChoose={() => !isBusy && onChoose(user)}
          />
        ))}
      </ul>
    </div>
  );
}

export function NewChatDialog({ onClose }: { onClose(): void }) {
  const texts = useTexts();
  const ownId = useChat(({ userId }) => userId);
  const rooms = useChat((state) => state.rooms);
  const { isBusy, problem, begin } = useOperation();
  const open = (roomId: string): void => {
    onClose();
    go({ kind: 'room', roomId });
  };
  const choose = (user: UserDto): void => {
    const pair = Object.values(rooms).find(({ room }) => {
      const others = othersOf(room, ownId);
      return others.length === 1 && others[0] === user.id;
    });
    if (pair !== undefined) {
      open(pair.room.id);
      return;
    }
    begin({ command: 'ROOM_CREATE', data: { companionUserId: user.id } }, (room) => open((room as RoomDto).id));
  };
  return (
    <Dialog title={texts.people.newChat} onClose={onClose}>
      <PeopleSearch isBusy={isBusy} problem={problem} excluded={[]} onChoose={choose} />
    </Dialog>
  );
}

export function AddMemberDialog({
  room,
  title,
  onClose,
}: {
  readonly room: RoomDto;
  readonly title: string;
  onClose(): void;
}) {
  const texts = useTexts();
  const { isBusy, problem, begin } = useOperation();
  const choose = (user: UserDto): void =>
    begin({ command: 'ROOM_ADD_MEMBER', data: { roomId: room.id, memberId: user.id } }, onClose);
  return (
    <Dialog title={texts.people.add(title)} onClose={onClose}>
      <PeopleSearch isBusy={isBusy} problem={problem} excluded={room.members} onChoose={choose} />
    </Dialog>
  );
}
