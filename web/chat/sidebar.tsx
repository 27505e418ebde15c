/** The chats with what was written last, the way to new ones, and to oneself. */

import { Avatar } from '../shared/avatar.tsx';
import { Icon } from '../shared/icon.tsx';
import { useLanguage } from '../shared/language.ts';
import { useChat } from './chat-context.ts';
import { type RoomState, unreadIn } from './chat-state.ts';
import { nameOf, roomsInOrder, titleOf } from './names.ts';
import { sendingIn } from './operation.ts';
import { addressOf, useRoute } from './route.ts';
import type { DialogName } from './shell.tsx';
import { RoomAvatar } from './shell-parts.tsx';
import { useTexts } from './texts.ts';
import { briefTime } from './times.ts';

export interface SidebarProps {
  onOpen(dialog: DialogName): void;
}

interface Summary {
  readonly text: string;
  /** Whose words these are, where it is not clear. */
  readonly who?: string;
}

/** What is said of a room in one line: who types, what is on its way, or the last message. */
function useSummary({ room, messages, typing }: RoomState): Summary {
  const texts = useTexts();
  const people = useChat((one) => one.people);
  const ownId = useChat(({ userId }) => userId);
  const operations = useChat((one) => one.operations);
  const typists = Object.keys(typing).map((id) => nameOf(people[id], texts));
  if (typists.length > 0) return { text: texts.room.typing(typists) };
  const sending = sendingIn(operations, room.id).at(-1);
  const last = messages.at(-1);
  if (sending?.command === 'MESSAGE_CREATE') {
    return { who: sending.state === 'failed' ? texts.message.notSent : texts.you, text: sending.data.content };
  }
  if (last === undefined) return { text: texts.rooms.nothingYet };
  if (last.senderId === ownId) return { who: texts.you, text: last.content };
  return { text: last.content, ...(room.members.length > 2 ? { who: nameOf(people[last.senderId], texts) } : {}) };
}

function RoomLink({ state, isCurrent }: { readonly state: RoomState; readonly isCurrent: boolean }) {
  const texts = useTexts();
  const tag = useLanguage();
  const { room, messages, typing } = state;
  const unread = unreadIn(state);
  const title = useChat((one) => titleOf(room, one, texts));
  const { who, text } = useSummary(state);
  const last = messages.at(-1);
  return (
    <li>
      <a
        class="room-link"
        href={addressOf({ kind: 'room', roomId: room.id })}
        aria-current={isCurrent ? 'page' : undefined}
      >
        <RoomAvatar state={state} />
        <span class="room-link-text">
          <span class="room-link-line">
            <span class={unread > 0 ? 'room-link-title strong' : 'room-link-title'}>{title}</span>
            {last !== undefined && (
              <time class="room-link-time" dateTime={new Date(last.dateCreated).toISOString()}>
                {briefTime(tag, last.dateCreated, Date.now(), texts)}
              </time>
            )}
          </span>
          <span class="room-link-line">
            <span class={Object.keys(typing).length > 0 ? 'room-link-summary lively' : 'room-link-summary'}>
              {who !== undefined && `${who}: `}
              <bdi>{text}</bdi>
            </span>
            {unread > 0 && (
              <span class="badge">
                <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
                <span class="visually-hidden">{texts.rooms.unread(unread)}</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
}

function Tabs() {
  const texts = useTexts();
  const route = useRoute();
  const isTranslator = useChat(({ me }) => me?.type === 'TRANSLATOR');
  const count = useChat(({ queue }) => queue.messages.length);
  const isMore = useChat(({ queue }) => queue.older !== undefined);
  if (!isTranslator) return null;
  const isTranslating = route.kind === 'translate';
  return (
    <ul class="tabs">
      <li>
        <a class="tab" href={addressOf({ kind: 'home' })} aria-current={isTranslating ? undefined : 'page'}>
          {texts.rooms.title}
        </a>
      </li>
      <li>
        <a class="tab" href={addressOf({ kind: 'translate' })} aria-current={isTranslating ? 'page' : undefined}>
          {texts.translate.title}
          {count > 0 && (
            <span class="badge quiet">
              <span aria-hidden="true">
                {count}
                {isMore && '+'}
              </span>
              <span class="visually-hidden">{texts.translate.count(count)}</span>
            </span>
          )}
        </a>
      </li>
    </ul>
  );
}

export function Sidebar({ onOpen }: SidebarProps) {
  const texts = useTexts();
  const route = useRoute();
  const me = useChat((state) => state.me);
  const rooms = roomsInOrder(useChat((state) => state));
  const name = nameOf(me, texts);
  return (
    <div class="sidebar">
      <header class="sidebar-head">
        <button type="button" class="profile" onClick={() => onOpen('settings')}>
          <Avatar id={me?.id ?? ''} name={name} />
          <span class="profile-name">{name}</span>
          <span class="visually-hidden">{texts.settings.profile}</span>
          <Icon name="down" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={texts.help.title}
          title={texts.help.title}
          onClick={() => onOpen('help')}
        >
          <Icon name="help" />
        </button>
        <button
          type="button"
          class="icon-button accent"
          aria-label={texts.people.newChat}
          title={texts.people.newChat}
          onClick={() => onOpen('new-chat')}
        >
          <Icon name="add" />
        </button>
      </header>
      <nav class="sidebar-nav" id="chats" tabIndex={-1} aria-label={texts.rooms.title}>
        <Tabs />
        {rooms.length === 0 ? (
          <div class="empty">
            <p class="empty-title">{texts.rooms.none}</p>
            <p class="muted small">{texts.rooms.noneHint}</p>
            <button type="button" class="button" onClick={() => onOpen('new-chat')}>
              {texts.people.newChat}
            </button>
          </div>
        ) : (
          <ul class="room-links">
            {rooms.map((state) => (
              <RoomLink
                key={state.room.id}
                state={state}
                isCurrent={route.kind === 'room' && route.roomId === state.room.id}
              />
            ))}
          </ul>
        )}
      </nav>
    </div>
  );
}
