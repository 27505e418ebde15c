/** Where one writes: a new message, or the new text of one's own. What is typed stays with its room. */

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { MessageDto } from '../../machines/vocabulary.ts';
import { Icon } from '../shared/icon.tsx';
import { useSharedTexts } from '../shared/texts.ts';
import { useSession } from './chat-context.ts';
import { useTexts } from './texts.ts';

export interface ComposerProps {
  readonly roomId: string;
  /** The message whose text is being changed. */
  readonly editing: MessageDto | undefined;
  onEdited(): void;
  /** In an empty field, ↑ asks for one's last message. */
  onEditLast(): void;
}

const charactersMax = 4_000;

function useDraft(roomId: string, editing: MessageDto | undefined) {
  const { drafts } = useSession();
  const key = editing === undefined ? roomId : editing.id;
  const [written, setWritten] = useState({ key, text: drafts.of(key) ?? editing?.content ?? '' });
  // Only another room or message brings another text, and at once: whoever types on must not meet the old one.
  const text = written.key === key ? written.text : (drafts.of(key) ?? editing?.content ?? '');
  return {
    text,
    write(next: string): void {
      drafts.write(key, next);
      setWritten({ key, text: next });
    },
  };
}

export function Composer({ roomId, editing, onEdited, onEditLast }: ComposerProps) {
  const texts = useTexts();
  const shared = useSharedTexts();
  const session = useSession();
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, write } = useDraft(roomId, editing);
  const over = [...text].length - charactersMax;
  // Whoever comes to a room or edits, writes.
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches || editing !== undefined) field.current?.focus();
  }, [roomId, editing?.id]);
  const leave = (): void => {
    write('');
    onEdited();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const content = text.trim();
    if (content === '' || over > 0) return;
    session.type(roomId, false);
    if (editing === undefined) session.outbox.begin({ command: 'MESSAGE_CREATE', data: { roomId, content } });
    else if (content !== editing.content) {
      session.outbox.begin({ command: 'MESSAGE_UPDATE', data: { messageId: editing.id, content } });
    }
    leave();
    field.current?.focus();
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
    else if (event.key === 'Escape' && editing !== undefined) leave();
    else if (event.key === 'ArrowUp' && text === '' && editing === undefined) {
      event.preventDefault();
      onEditLast();
    }
  };
  return (
    <form class="composer" onSubmit={submit}>
      {editing !== undefined && (
        <p class="composer-note">
          <span>{texts.composer.editing}</span>
          <button type="button" class="button plain" onClick={leave}>
            {shared.cancel}
          </button>
        </p>
      )}
      <div class="composer-row">
        <label class="visually-hidden" for={id}>
          {texts.composer.label}
        </label>
        <textarea
          ref={field}
          id={id}
          class="input growing"
          rows={1}
          dir="auto"
          enterkeyhint="send"
          value={text}
          placeholder={texts.composer.placeholder}
          aria-invalid={over > 0}
          onInput={(event) => {
            write(event.currentTarget.value);
            if (editing === undefined) session.type(roomId, event.currentTarget.value !== '');
          }}
          onKeyDown={press}
        />
        <button
          type="submit"
          class="icon-button accent send"
          aria-label={editing === undefined ? texts.composer.send : texts.composer.save}
          aria-disabled={text.trim() === '' || over > 0}
        >
          <Icon name={editing === undefined ? 'send' : 'check'} />
        </button>
      </div>
      {over > 0 && (
        <p class="hint error" role="alert">
          {texts.composer.tooLong(over)}
        </p>
      )}
    </form>
  );
}
