/** The messages of a room by day and sender, what is on its way there, and reading on in both directions. */

import { useEffect } from 'preact/hooks';
import type { MessageDto } from '../../machines/vocabulary.ts';
import { Icon } from '../shared/icon.tsx';
import { useLanguage } from '../shared/language.ts';
import { useSharedTexts } from '../shared/texts.ts';
import { useChat, useSession } from './chat-context.ts';
import { type RoomState, unreadIn } from './chat-state.ts';
import { MessageItem, SendingItem } from './message-item.tsx';
import { type Day, daysOf, receiptsOf, unreadEnd } from './message-list.ts';
import { titleOf } from './names.ts';
import { type Operation, sendingIn } from './operation.ts';
import { stepThrough, useScrolling } from './scrolling.ts';
import { Loading } from './shell-parts.tsx';
import { useTexts } from './texts.ts';
import { dayName } from './times.ts';

/** What is seen is read: the end of the list, by somebody who looks at the page. */
function useReading({ messages, loaded }: RoomState, isAtEnd: boolean): void {
  const session = useSession();
  const ownId = useChat(({ userId }) => userId) ?? '';
  const isOnline = useChat(({ connection }) => connection === 'online');
  useEffect(() => {
    const look = (): void => {
      const end = loaded === 'page' && isOnline && isAtEnd ? unreadEnd(messages, ownId) : undefined;
      if (end !== undefined && document.visibilityState === 'visible') session.read(end);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [session, messages, loaded, ownId, isOnline, isAtEnd]);
}

/** What stands before the first message: more of them, or that there are none. */
function Beginning({ state: { room, loaded, older, olderLoaded } }: { readonly state: RoomState }) {
  const texts = useTexts();
  const shared = useSharedTexts();
  const session = useSession();
  const isFailed = loaded === 'failed' || olderLoaded === 'failed';
  const retry = (): void => {
    if (loaded === 'failed') session.open(room.id);
    else void session.readOlder(room.id);
  };
  if (isFailed) {
    return (
      <p class="edge muted small">
        {texts.loadFailed}{' '}
        <button type="button" class="button plain" onClick={retry}>
          {shared.retry}
        </button>
      </p>
    );
  }
  const isMore = loaded !== 'page' || older !== undefined;
  return <p class="edge muted small">{isMore ? texts.room.older : texts.room.begin}</p>;
}

interface DayViewProps {
  readonly day: Day;
  readonly ownId: string;
  readonly receipts: ReadonlyMap<string, readonly string[]>;
  readonly editedId: string | undefined;
  onEdit(message: MessageDto): void;
}

const nobody: readonly string[] = [];

function DayView({ day: { at, lines }, ownId, receipts, editedId, onEdit }: DayViewProps) {
  const texts = useTexts();
  const tag = useLanguage();
  const name = dayName(tag, at, Date.now(), texts);
  return (
    <section class="day" aria-label={name}>
      <h2 class="day-name small">{name}</h2>
      <ol>
        {lines.map((line) => (
          <MessageItem
            key={line.message.id}
            line={line}
            isOwn={line.message.senderId === ownId}
            isEdited={line.message.id === editedId}
            readers={receipts.get(line.message.id) ?? nobody}
            onEdit={onEdit}
          />
        ))}
      </ol>
    </section>
  );
}

function Sending({ operations }: { readonly operations: readonly Operation[] }) {
  if (operations.length === 0) return null;
  return (
    <ol>
      {operations.map((operation) => (
        <SendingItem key={operation.key} operation={operation} />
      ))}
    </ol>
  );
}

/** Nothing is here: not yet, not at all, or for a reason. */
function Nothing({ state: { room, loaded } }: { readonly state: RoomState }) {
  const texts = useTexts();
  const session = useSession();
  if (loaded !== 'page') return <Loading isFailed={loaded === 'failed'} onRetry={() => session.open(room.id)} />;
  return (
    <div class="empty tall">
      <p class="empty-title">{texts.room.empty}</p>
      <p class="muted">{texts.room.emptyHint}</p>
    </div>
  );
}

export interface MessagesViewProps {
  readonly state: RoomState;
  /** The message whose text is being changed. */
  readonly editedId: string | undefined;
  onEdit(message: MessageDto): void;
}

export function MessagesView({ state, editedId, onEdit }: MessagesViewProps) {
  const texts = useTexts();
  const session = useSession();
  const { room, messages, older, olderLoaded } = state;
  const title = useChat((one) => titleOf(room, one, texts));
  const ownId = useChat(({ userId }) => userId) ?? '';
  const sending = sendingIn(
    useChat((one) => one.operations),
    room.id,
  );
  const readOn = (): void => {
    if (older !== undefined && olderLoaded === 'no') void session.readOlder(room.id);
  };
  const { box, content, isAtEnd, scrolled, toEnd } = useScrolling(sending.length, readOn);
  useReading(state, isAtEnd);
  const receipts = receiptsOf(messages, ownId);
  const unread = unreadIn(state);
  const isEmpty = messages.length === 0 && sending.length === 0;
  return (
    <div class="messages-frame">
      <section
        class="scrolling messages"
        ref={box}
        onScroll={scrolled}
        onKeyDown={stepThrough}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard.
        tabIndex={0}
        aria-label={texts.room.messages(title)}
      >
        <div class="messages-content" ref={content}>
          {isEmpty ? <Nothing state={state} /> : <Beginning state={state} />}
          {daysOf(messages).map((day) => (
            <DayView key={day.at} day={day} ownId={ownId} receipts={receipts} editedId={editedId} onEdit={onEdit} />
          ))}
          <Sending operations={sending} />
        </div>
      </section>
      {!isAtEnd && (
        <button type="button" class="button to-end" onClick={toEnd}>
          {unread > 0 ? texts.rooms.unread(unread) : texts.room.newest}
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}
