/** What waits for a translator: one message after another, each with the field for its translation. */

import { useState } from 'preact/hooks';
import { Avatar } from '../shared/avatar.tsx';
import { Icon } from '../shared/icon.tsx';
import { languageName, tagOf, useLanguage } from '../shared/language.ts';
import { useChat, useSession } from './chat-context.ts';
import type { QueuedMessage } from './chat-state.ts';
import { nameOf, titleOf } from './names.ts';
import { addressOf } from './route.ts';
import { Loading } from './shell-parts.tsx';
import { useTexts } from './texts.ts';
import { briefTime } from './times.ts';
import { TranslationForm } from './translation-form.tsx';

interface CardProps {
  readonly message: QueuedMessage;
  readonly isFocused: boolean;
  onDone(): void;
}

function QueueCard({ message, isFocused, onDone }: CardProps) {
  const texts = useTexts();
  const tag = useLanguage();
  const sender = useChat(({ people }) => people[message.senderId]);
  const ownId = useChat(({ userId }) => userId);
  const room = useChat(({ rooms }) => rooms[message.roomId]?.room);
  const title = useChat((state) => (room === undefined ? '' : titleOf(room, state, texts)));
  const name = nameOf(sender, texts);
  const who = message.senderId === ownId ? texts.you : name;
  return (
    <li class="queue-card">
      <header class="queue-head">
        <Avatar id={message.senderId} name={name} size="small" />
        <a href={addressOf({ kind: 'room', roomId: message.roomId })}>
          {title === name ? name : texts.translate.from(who, title)}
        </a>
        <span class="muted small">
          {languageName(message.originalLanguage, tag)} · {briefTime(tag, message.dateCreated, Date.now(), texts)}
        </span>
      </header>
      <blockquote class="written" lang={tagOf[message.originalLanguage]} dir="auto">
        {message.content}
      </blockquote>
      <TranslationForm message={message} missing={message.missing} isFocused={isFocused} onDone={onDone} />
    </li>
  );
}

export function TranslateView() {
  const texts = useTexts();
  const session = useSession();
  const { messages, loaded, older } = useChat((state) => state.queue);
  const isTranslator = useChat(({ me }) => me?.type === 'TRANSLATOR');
  const [isUnderWay, setUnderWay] = useState(false);
  const done = (): void => {
    // From here on the next message has the keyboard as soon as it is the first.
    setUnderWay(true);
    session.announce(texts.translate.done);
  };
  const isEmpty = messages.length === 0;
  return (
    <section class="translate" aria-labelledby="translate-title">
      <header class="main-head">
        <a class="icon-button back" href={addressOf({ kind: 'home' })} aria-label={texts.room.back}>
          <Icon name="back" />
        </a>
        <div class="main-head-text">
          <h1 id="translate-title" class="main-title">
            {texts.translate.title}
          </h1>
          <p class="muted small">{texts.translate.about}</p>
        </div>
      </header>
      <div class="scrolling translate-body">
        {isEmpty && (loaded === 'loading' || loaded === 'failed') && (
          <Loading isFailed={loaded === 'failed'} onRetry={() => void session.readQueue()} />
        )}
        {isEmpty && (loaded === 'page' || !isTranslator) && (
          <div class="empty tall">
            <span class="empty-icon">
              <Icon name="translate" />
            </span>
            <p class="empty-title">{texts.translate.empty}</p>
            <p class="muted">{texts.translate.emptyHint}</p>
          </div>
        )}
        {older !== undefined && (
          <button type="button" class="button wide" onClick={() => void session.readQueue(older)}>
            {texts.translate.older}
          </button>
        )}
        <ul class="queue">
          {messages.map((message, index) => (
            <QueueCard key={message.id} message={message} isFocused={isUnderWay && index === 0} onDone={done} />
          ))}
        </ul>
      </div>
    </section>
  );
}
