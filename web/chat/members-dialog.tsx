import { Avatar } from '../shared/avatar.tsx';
import { Dialog } from '../shared/dialog.tsx';
import { languageName, useLanguage } from '../shared/language.ts';
import { useChat } from './chat-context.ts';
import type { RoomState } from './chat-state.ts';
import { nameOf, onlineIn } from './names.ts';
import { useTexts } from './texts.ts';

export interface MembersDialogProps {
  readonly state: RoomState;
  onAdd(): void;
  onClose(): void;
}

export function MembersDialog({ state, onAdd, onClose }: MembersDialogProps) {
  const texts = useTexts();
  const tag = useLanguage();
  const people = useChat((one) => one.people);
  const ownId = useChat(({ userId }) => userId);
  const online = onlineIn(state);
  return (
    <Dialog title={texts.room.members} onClose={onClose}>
      <ul class="people">
        {state.room.members.map((id) => {
          const user = people[id];
          const name = nameOf(user, texts);
          const isOnline = id === ownId || online.has(id);
          return (
            <li key={id} class="person-row still">
              <Avatar id={id} name={name} isOnline={isOnline} />
              <span class="person-text">
                <span class="person-name">{id === ownId ? `${name} (${texts.you})` : name}</span>
                <span class="muted small">
                  {isOnline ? texts.room.online : texts.room.offline}
                  {user !== undefined && ` · ${languageName(user.primaryLanguage, tag)}`}
                  {user?.type === 'TRANSLATOR' && ` · ${texts.people.translator}`}
                </span>
              </span>
            </li>
          );
        })}
      </ul>
      <button type="button" class="button wide" onClick={onAdd}>
        {texts.room.addMember}
      </button>
    </Dialog>
  );
}
