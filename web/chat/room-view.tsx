/** One room: who is in it, what was written, and where one writes. */

import { useEffect, useState } from 'preact/hooks';
import type { MessageDto } from '../../machines/vocabulary.ts';
import { Icon } from '../shared/icon.tsx';
import { useChat, useSession } from './chat-context.ts';
import type { RoomState } from './chat-state.ts';
import { Composer } from './composer.tsx';
import { MembersDialog } from './members-dialog.tsx';
import { MessagesView } from './messages-view.tsx';
import { nameOf, onlineIn, othersOf, titleOf } from './names.ts';
import { AddMemberDialog } from './people-dialog.tsx';
import { addressOf } from './route.ts';
import { RoomAvatar } from './shell-parts.tsx';
import { useTexts } from './texts.ts';

function useStatus(state: RoomState): string {
  const texts = useTexts();
  const ownId = useChat(({ userId }) => userId);
  const people = useChat((one) => one.people);
  const isKnown = useChat(({ connection }) => connection === 'online');
  const typists = Object.keys(state.typing).map((id) => nameOf(people[id], texts));
  if (typists.length > 0) return texts.room.typing(typists);
  const others = othersOf(state.room, ownId);
  // Who is there is not known without a connection.
  if (!isKnown) return '\u00a0';
  const online = onlineIn(state);
  const count = others.filter((id) => online.has(id)).length;
  if (others.length === 1) return count === 1 ? texts.room.online : texts.room.offline;
  return texts.room.people(state.room.members.length, count + 1);
}

function RoomHead({ state, onMembers }: { readonly state: RoomState; onMembers(): void }) {
  const texts = useTexts();
  const title = useChat((one) => titleOf(state.room, one, texts));
  return (
    <header class="main-head">
      <a class="icon-button back" href={addressOf({ kind: 'home' })} aria-label={texts.room.back}>
        <Icon name="back" />
      </a>
      <RoomAvatar state={state} />
      <div class="main-head-text">
        <h1 class="main-title">{title}</h1>
        <p class="muted small">{useStatus(state)}</p>
      </div>
      <button
        type="button"
        class="icon-button"
        aria-label={texts.room.members}
        title={texts.room.members}
        onClick={onMembers}
      >
        <Icon name="people" />
      </button>
    </header>
  );
}

export function RoomView({ roomId }: { readonly roomId: string }) {
  const texts = useTexts();
  const session = useSession();
  const state = useChat(({ rooms }) => rooms[roomId]);
  const ownId = useChat(({ userId }) => userId);
  const [editing, setEditing] = useState<MessageDto | undefined>(undefined);
  const [dialog, setDialog] = useState<'members' | 'add' | undefined>(undefined);
  const title = useChat((one) => (state === undefined ? '' : titleOf(state.room, one, texts)));
  const isKnown = state !== undefined;
  useEffect(() => {
    if (!isKnown) return undefined;
    session.open(roomId);
    return () => session.open(undefined);
  }, [session, roomId, isKnown]);
  if (state === undefined) {
    return (
      <div class="empty tall">
        <h1 class="empty-title">{texts.rooms.gone}</h1>
        <p class="muted">{texts.rooms.goneHint}</p>
        <a class="button" href={addressOf({ kind: 'home' })}>
          {texts.room.back}
        </a>
      </div>
    );
  }
  const editLast = (): void => setEditing(state.messages.findLast(({ senderId }) => senderId === ownId));
  return (
    <div class="room">
      <RoomHead state={state} onMembers={() => setDialog('members')} />
      <MessagesView state={state} editedId={editing?.id} onEdit={setEditing} />
      <Composer roomId={roomId} editing={editing} onEdited={() => setEditing(undefined)} onEditLast={editLast} />
      {dialog === 'members' && (
        <MembersDialog state={state} onAdd={() => setDialog('add')} onClose={() => setDialog(undefined)} />
      )}
      {dialog === 'add' && <AddMemberDialog room={state.room} title={title} onClose={() => setDialog(undefined)} />}
    </div>
  );
}
