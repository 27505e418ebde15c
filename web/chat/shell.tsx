/** The frame of the chat: sidebar, what is looked at, dialogs, shortcuts, and what is told aloud. */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../shared/icon.tsx';
import { useChat, useSession } from './chat-context.ts';
import { type Connection, unreadIn } from './chat-state.ts';
import { HelpDialog } from './help-dialog.tsx';
import { roomsInOrder, titleOf } from './names.ts';
import { NewChatDialog } from './people-dialog.tsx';
import { RoomView } from './room-view.tsx';
import { currentRoute, go, useRoute } from './route.ts';
import { SettingsDialog } from './settings-dialog.tsx';
import { Sidebar } from './sidebar.tsx';
import { useTexts } from './texts.ts';
import { TranslateView } from './translate-view.tsx';

export type DialogName = 'new-chat' | 'settings' | 'help';

/** An interruption that is over by then is not worth a word; a change of the language is one. */
const noticedMs = 500;

/** Whether there has been no connection for a while. It is said, and so is its end. */
function useOffline(connection: Connection): boolean {
  const { connection: texts } = useTexts();
  const session = useSession();
  const [isOffline, setOffline] = useState(false);
  useEffect(() => {
    const isCut = connection === 'reconnecting';
    const change = (): void => {
      if (isCut === isOffline) return;
      setOffline(isCut);
      if (isCut) session.announce(texts.reconnecting);
      else if (connection === 'online') session.announce(texts.back);
    };
    const timer = window.setTimeout(change, isCut ? noticedMs : 0);
    return () => window.clearTimeout(timer);
  }, [session, texts, connection, isOffline]);
  return isOffline;
}

function Banner() {
  const texts = useTexts();
  const session = useSession();
  const connection = useChat((state) => state.connection);
  const isOffline = useOffline(connection);
  if (!isOffline && connection !== 'closed') return null;
  return (
    <div class="banner">
      <Icon name="offline" />
      <p>{connection === 'closed' ? texts.connection.closed : texts.connection.reconnecting}</p>
      {connection === 'closed' && (
        <button type="button" class="button plain" onClick={() => session.reconnect()}>
          {texts.connection.reconnect}
        </button>
      )}
    </div>
  );
}

/** What changes without being asked for is said to whoever cannot see it. */
function Announcer() {
  const { text, isUrgent, count } = useChat((state) => state.announced);
  // The same sentence twice is two announcements.
  const said = count % 2 === 0 ? text : `${text}\u00a0`;
  return (
    <div class="visually-hidden">
      <div role="status">{isUrgent ? '' : said}</div>
      <div role="alert">{isUrgent ? said : ''}</div>
    </div>
  );
}

/** To the room `by` places further in the list. */
function stepRoom(roomIds: readonly string[], by: number): void {
  const route = currentRoute();
  const at = route.kind === 'room' ? roomIds.indexOf(route.roomId) : -1;
  const next = roomIds[at < 0 ? 0 : at + by];
  if (next !== undefined) go({ kind: 'room', roomId: next });
}

function useShortcuts(onOpen: (dialog: DialogName) => void): void {
  const session = useSession();
  // With the page that is drawn: a key that is pressed as soon as it is seen counts.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      // A dialog has the keyboard for itself.
      if (document.querySelector('dialog[open]') !== null) return;
      const isCommand = event.ctrlKey || event.metaKey;
      if (isCommand && event.key.toLowerCase() === 'k') onOpen('new-chat');
      else if (isCommand && event.key === '/') onOpen('help');
      else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
        const roomIds = roomsInOrder(session.store.getSnapshot().context).map(({ room }) => room.id);
        stepRoom(roomIds, event.key === 'ArrowDown' ? 1 : -1);
      } else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [session, onOpen]);
}

/** The tab is called after what one looks at, and says how much is unread. */
function useTitle(): void {
  const texts = useTexts();
  const route = useRoute();
  const title = useChat((state) => {
    const room = route.kind === 'room' ? state.rooms[route.roomId]?.room : undefined;
    const place = route.kind === 'translate' ? texts.translate.title : room && titleOf(room, state, texts);
    const unread = Object.values(state.rooms).reduce((sum, one) => sum + unreadIn(one), 0);
    return `${unread > 0 ? `(${unread}) ` : ''}${place === undefined ? '' : `${place} – `}Troupe`;
  });
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Where the focus goes when what had it is gone, as on a narrow screen: to what is shown instead. */
function useFocus(): void {
  const route = useRoute();
  const isShown = useRef(false);
  useEffect(() => {
    const focused = document.activeElement;
    const isLost = focused === null || focused === document.body || !focused.checkVisibility();
    if (isShown.current && isLost) document.getElementById(route.kind === 'home' ? 'chats' : 'main')?.focus();
    isShown.current = true;
  }, [route]);
}

function Home({ onOpen }: { onOpen(dialog: DialogName): void }) {
  const { rooms, people } = useTexts();
  const isEmpty = useChat((state) => roomsInOrder(state).length === 0);
  return (
    <div class="empty tall">
      <span class="empty-icon">
        <Icon name="chat" />
      </span>
      <h1 class="empty-title">{isEmpty ? rooms.none : rooms.pick}</h1>
      <p class="muted">{isEmpty ? rooms.noneHint : rooms.pickHint}</p>
      <button type="button" class="button" onClick={() => onOpen('new-chat')}>
        {people.newChat}
      </button>
    </div>
  );
}

export function Shell() {
  const texts = useTexts();
  const route = useRoute();
  const [dialog, setDialog] = useState<DialogName | undefined>(undefined);
  const close = (): void => setDialog(undefined);
  useShortcuts(setDialog);
  useTitle();
  useFocus();
  return (
    <div class={route.kind === 'home' ? 'shell' : 'shell has-detail'}>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {texts.skip}
      </button>
      <Banner />
      <Sidebar onOpen={setDialog} />
      <main class="main" id="main" tabIndex={-1}>
        {route.kind === 'room' && <RoomView key={route.roomId} roomId={route.roomId} />}
        {route.kind === 'translate' && <TranslateView />}
        {route.kind === 'home' && <Home onOpen={setDialog} />}
      </main>
      <Announcer />
      {dialog === 'new-chat' && <NewChatDialog onClose={close} />}
      {dialog === 'settings' && <SettingsDialog onClose={close} />}
      {dialog === 'help' && <HelpDialog onClose={close} />}
    </div>
  );
}
