/** Writing a translation of one message, here and in the queue. Its draft stays when the message changes meanwhile. */

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Language, MessageDto } from '../../machines/vocabulary.ts';
import { languageName, tagOf, useLanguage } from '../shared/language.ts';
import type { Problem } from '../shared/problem.ts';
import { useSharedTexts } from '../shared/texts.ts';
import { useSession } from './chat-context.ts';
import { useTexts } from './texts.ts';
import { useOperation } from './use-operation.ts';

export interface TranslationFormProps {
  readonly message: MessageDto;
  /** Languages it can be translated into. */
  readonly missing: readonly Language[];
  readonly isFocused: boolean;
  onDone(): void;
  onCancel?: () => void;
}

function Trouble({ isLate, problem }: { readonly isLate: boolean; readonly problem: Problem | undefined }) {
  const texts = useTexts();
  if (problem === undefined && !isLate) return null;
  return (
    <p class="notice danger" role="alert">
      {problem?.detail ?? texts.translate.meanwhile}
    </p>
  );
}

export function TranslationForm({ message, missing, isFocused, onDone, onCancel }: TranslationFormProps) {
  const texts = useTexts();
  const shared = useSharedTexts();
  const tag = useLanguage();
  const id = useId();
  const [chosen, setChosen] = useState<Language | undefined>(undefined);
  const { drafts } = useSession();
  const key = `translation of ${message.id}`;
  const [text, setText] = useState(drafts.of(key) ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const { isBusy, problem, begin } = useOperation();
  const into = chosen ?? missing[0];
  useEffect(() => {
    if (isFocused) field.current?.focus();
  }, [isFocused]);
  if (into === undefined) return <Trouble isLate problem={problem} />;
  const isLate = !missing.includes(into) && !isBusy;
  const submit = (event: Event): void => {
    event.preventDefault();
    const translation = text.trim();
    if (isBusy || translation === '') {
      field.current?.focus();
      return;
    }
    setChosen(into);
    begin({ command: 'MESSAGE_TRANSLATE', data: { messageId: message.id, translation, language: into } }, () => {
      drafts.write(key, '');
      onDone();
    });
  };
  const cancel = (): void => {
    drafts.write(key, '');
    onCancel?.();
  };
  return (
    <form class="translation-form" onSubmit={submit}>
      {missing.length > 1 && (
        <label class="select">
          <span class="label">{texts.translate.into}</span>
          <select class="input" value={into} onChange={(event) => setChosen(event.currentTarget.value as Language)}>
            {missing.map((language) => (
              <option key={language} value={language}>
                {languageName(language, tag)}
              </option>
            ))}
          </select>
        </label>
      )}
      <div class="field">
        <label for={id}>{texts.translate.text(languageName(into, tag))}</label>
        <textarea
          ref={field}
          id={id}
          class="input growing"
          lang={tagOf[into]}
          dir="auto"
          rows={2}
          maxLength={4_000}
          value={text}
          onInput={(event) => {
            drafts.write(key, event.currentTarget.value);
            setText(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && onCancel !== undefined) cancel();
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
          }}
        />
      </div>
      <Trouble isLate={isLate} problem={problem} />
      <div class="form-actions">
        <button type="submit" class="button primary" aria-disabled={isBusy || text.trim() === ''}>
          {isBusy ? texts.translate.busy : texts.translate.submit}
        </button>
        {onCancel !== undefined && (
          <button type="button" class="button" onClick={cancel}>
            {shared.cancel}
          </button>
        )}
      </div>
    </form>
  );
}
