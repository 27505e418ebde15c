/** One message: its text, translations, who has read it, and what one can do with it. */

import { useState } from 'preact/hooks';
import type { MessageDto } from '../../machines/vocabulary.ts';
import { Avatar } from '../shared/avatar.tsx';
import { Icon } from '../shared/icon.tsx';
import { languageName, tagOf, useLanguage } from '../shared/language.ts';
import { useChat } from './chat-context.ts';
import type { Line } from './message-list.ts';
import { nameOf, usePersonName } from './names.ts';
import { missingIn } from './news.ts';
import { changeOf, type Operation } from './operation.ts';
import { ProblemNotice } from './problem-notice.tsx';
import { useTexts } from './texts.ts';
import { fullTime, timeOfDay } from './times.ts';
import { TranslationForm } from './translation-form.tsx';

function Translations({ message }: { readonly message: MessageDto }) {
  const texts = useTexts();
  const tag = useLanguage();
  const people = useChat((state) => state.people);
  const own = useChat((state) => state.me?.primaryLanguage);
  const isWanted = message.translations.some(({ language }) => language === own);
  const [isShown, setShown] = useState<boolean | undefined>(undefined);
  const { translations } = message;
  if (translations.length === 0) return null;
  const isOpen = isShown ?? isWanted;
  return (
    <div class="translations">
      <button type="button" class="button plain small" aria-expanded={isOpen} onClick={() => setShown(!isOpen)}>
        {isOpen
          ? texts.message.hideTranslations(translations.length)
          : texts.message.showTranslations(translations.length)}
      </button>
      {isOpen &&
        translations.map(({ language, translation, translatorId }) => (
          <figure key={language} class="translation">
            <blockquote class="written" lang={tagOf[language]} dir="auto">
              {translation}
            </blockquote>
            <figcaption class="muted small">
              {texts.message.translatedBy(languageName(language, tag), nameOf(people[translatorId], texts))}
            </figcaption>
          </figure>
        ))}
    </div>
  );
}

export interface MessageItemProps {
  readonly line: Line;
  readonly isOwn: boolean;
  /** Its text is being changed. */
  readonly isEdited: boolean;
  /** Who has read up to here. */
  readonly readers: readonly string[];
  onEdit(message: MessageDto): void;
}

function Receipts({ readers }: { readonly readers: readonly string[] }) {
  const texts = useTexts();
  const people = useChat((state) => state.people);
  if (readers.length === 0) return null;
  return (
    <p class="receipts muted small">
      <Icon name="checks" />
      {texts.message.readBy(readers.map((id) => nameOf(people[id], texts)))}
    </p>
  );
}

/** A change of the text that is on its way, or was refused. */
function Change({ messageId }: { readonly messageId: string }) {
  const texts = useTexts();
  const change = useChat((state) => changeOf(state.operations, 'MESSAGE_UPDATE', messageId));
  if (change === undefined) return null;
  if (change.state === 'failed') return <ProblemNotice operation={change} title={texts.message.notSaved} />;
  return <p class="muted small">{texts.message.saving}</p>;
}

/** Whose message it is: shown at the first of several, said at each. */
function Sender({ line: { message, isFirst }, isOwn }: Pick<MessageItemProps, 'line' | 'isOwn'>) {
  const texts = useTexts();
  const name = usePersonName(message.senderId);
  if (isOwn) return <p class="visually-hidden">{texts.you}</p>;
  return (
    <>
      {isFirst && (
        <span class="message-avatar">
          <Avatar id={message.senderId} name={name} size="small" />
        </span>
      )}
      <p class={isFirst ? 'message-sender small' : 'visually-hidden'}>{name}</p>
    </>
  );
}

interface ActionsProps {
  readonly message: MessageDto;
  readonly isOwn: boolean;
  readonly isTranslating: boolean;
  readonly isTranslatable: boolean;
  onEdit(): void;
  onTranslate(): void;
}

function Actions({ message, isOwn, isTranslating, isTranslatable, onEdit, onTranslate }: ActionsProps) {
  const texts = useTexts();
  const name = usePersonName(message.senderId);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms.
    <span class="message-actions" role="group" aria-label={texts.message.actions(name)}>
      {isOwn && (
        <button
          type="button"
          class="icon-button"
          aria-label={texts.message.edit}
          title={texts.message.edit}
          onClick={onEdit}
        >
          <Icon name="edit" />
        </button>
      )}
      {isTranslatable && (
        <button
          type="button"
          class="icon-button"
          aria-label={texts.translate.action}
          title={texts.translate.action}
          aria-expanded={isTranslating}
          onClick={onTranslate}
        >
          <Icon name="translate" />
        </button>
      )}
    </span>
  );
}

/** The time is shown at the last of several in a row, and at the one that is looked at. */
function Time({ line: { message, isLast } }: { readonly line: Line }) {
  const texts = useTexts();
  const tag = useLanguage();
  const { dateCreated, modified } = message;
  return (
    <time
      class={isLast || modified ? 'message-time muted' : 'message-time muted passing'}
      dateTime={new Date(dateCreated).toISOString()}
      title={fullTime(tag, dateCreated)}
    >
      {timeOfDay(tag, dateCreated)}
      {modified && ` · ${texts.message.edited}`}
    </time>
  );
}

export function MessageItem({ line, isOwn, isEdited, readers, onEdit }: MessageItemProps) {
  const { message, isFirst } = line;
  const me = useChat((state) => state.me);
  const [isTranslating, setTranslating] = useState(false);
  const missing = missingIn(message, me);
  const change = useChat((state) => changeOf(state.operations, 'MESSAGE_UPDATE', message.id));
  const content = change !== undefined && change.state !== 'failed' ? change.data.content : message.content;
  const close = (): void => setTranslating(false);
  return (
    <li
      class={`message ${isOwn ? 'own' : 'others'}${isFirst ? ' first' : ''}${isEdited ? ' edited' : ''}`}
      data-message={message.id}
      // Reached by the arrows, and by a touch.
      tabIndex={-1}
    >
      <Sender line={line} isOwn={isOwn} />
      <div class="bubble-line">
        <p class="bubble written" lang={tagOf[message.originalLanguage]} dir="auto">
          {content}
        </p>
        <span class="message-foot">
          <Time line={line} />
          <Actions
            message={message}
            isOwn={isOwn}
            isTranslating={isTranslating}
            isTranslatable={missing.length > 0}
            onEdit={() => onEdit(message)}
            onTranslate={() => setTranslating(!isTranslating)}
          />
        </span>
      </div>
      <Translations message={message} />
      {isTranslating && (
        <TranslationForm message={message} missing={missing} isFocused onDone={close} onCancel={close} />
      )}
      <Change messageId={message.id} />
      <Receipts readers={readers} />
    </li>
  );
}

/** A message of one's own that is not in the room yet. */
export function SendingItem({ operation }: { readonly operation: Operation }) {
  const texts = useTexts();
  const { state, data } = operation;
  const content = 'content' in data ? data.content : '';
  return (
    <li class="message own sending" tabIndex={-1}>
      <div class="bubble-line">
        <p class="bubble written" dir="auto">
          {content}
        </p>
        {state !== 'failed' && (
          <span class="message-time muted">
            <Icon name="clock" />
            <span>{state === 'waiting' ? texts.message.waiting : texts.message.sending}</span>
          </span>
        )}
      </div>
      <ProblemNotice operation={operation} title={texts.message.notSent} />
    </li>
  );
}
