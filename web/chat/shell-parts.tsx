/** Parts of the frame that several of its views have. */

import { Avatar } from '../shared/avatar.tsx';
import { useSharedTexts } from '../shared/texts.ts';
import { useChat } from './chat-context.ts';
import type { RoomState } from './chat-state.ts';
import { nameOf, onlineIn, othersOf } from './names.ts';
import { useTexts } from './texts.ts';

/** What stands where something is being read, or could not be. */
export function Loading({ isFailed, onRetry }: { readonly isFailed: boolean; onRetry(): void }) {
  const texts = useTexts();
  const shared = useSharedTexts();
  return (
    <div class="empty tall" role="status">
      <p class="muted">{isFailed ? texts.loadFailed : texts.loading}</p>
      {isFailed && (
        <button type="button" class="button" onClick={onRetry}>
          {shared.retry}
        </button>
      )}
    </div>
  );
}

/** The one other of a pair, or two of the others. */
export function RoomAvatar({ state }: { readonly state: RoomState }) {
  const texts = useTexts();
  const ownId = useChat(({ userId }) => userId);
  const people = useChat((one) => one.people);
  const others = othersOf(state.room, ownId);
  const first = others[0] ?? state.room.createdBy;
  if (others.length < 2) {
    return <Avatar id={first} name={nameOf(people[first], texts)} isOnline={onlineIn(state).has(first)} />;
  }
  return (
    <span class="avatar-pair" aria-hidden="true">
      {others.slice(0, 2).map((id) => (
        <Avatar key={id} id={id} name={nameOf(people[id], texts)} size="small" />
      ))}
    </span>
  );
}
