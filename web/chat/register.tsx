/** Whoever has a token and no profile yet makes one. */

import { useId, useRef, useState } from 'preact/hooks';
import type { Language, UserType } from '../../machines/vocabulary.ts';
import { useAccess } from '../shared/access.ts';
import { signOut } from '../shared/entrance.ts';
import { languageName, languageOf, useLanguage } from '../shared/language.ts';
import { Threshold } from '../shared/sign-in.tsx';
import { useSharedTexts } from '../shared/texts.ts';
import { languages, useTexts } from './texts.ts';
import { useOperation } from './use-operation.ts';

interface RoleProps {
  readonly value: UserType;
  onChoose(type: UserType): void;
}

function RoleChoice({ value, onChoose }: RoleProps) {
  const texts = useTexts();
  const roles = [
    ['REGULAR_USER', texts.register.regular, texts.register.regularHint],
    ['TRANSLATOR', texts.register.translator, texts.register.translatorHint],
  ] as const;
  return (
    <fieldset class="choices">
      <legend class="label">{texts.register.role}</legend>
      {roles.map(([type, name, hint]) => (
        <label key={type} class="choice">
          <input type="radio" name="type" checked={value === type} onChange={() => onChoose(type)} />
          <span>
            <span class="choice-name">{name}</span>
            <span class="hint">{hint}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface LanguagesProps {
  readonly primary: Language;
  readonly chosen: readonly Language[];
  onChange(chosen: readonly Language[]): void;
}

function TranslationLanguages({ primary, chosen, onChange }: LanguagesProps) {
  const texts = useTexts();
  const tag = useLanguage();
  const toggle = (language: Language): void =>
    onChange(chosen.includes(language) ? chosen.filter((one) => one !== language) : [...chosen, language]);
  return (
    <fieldset class="choices languages">
      <legend class="label">{texts.register.languages}</legend>
      {languages.map((language) => (
        <label key={language} class="choice">
          <input
            type="checkbox"
            checked={language === primary || chosen.includes(language)}
            disabled={language === primary}
            onChange={() => toggle(language)}
          />
          <span>{languageName(language, tag)}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Register() {
  const texts = useTexts();
  const shared = useSharedTexts();
  const tag = useLanguage();
  const email = useAccess()?.email ?? '';
  const [name, setName] = useState(email.split('@')[0] ?? '');
  const [primary, setPrimary] = useState<Language>(languageOf[tag]);
  const [type, setType] = useState<UserType>('REGULAR_USER');
  const [chosen, setChosen] = useState<readonly Language[]>([]);
  const [isNameMissing, setNameMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { isBusy, problem, begin } = useOperation();
  const nameId = useId();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isBusy) return;
    const username = name.trim();
    setNameMissing(username === '');
    if (username === '') {
      input.current?.focus();
      return;
    }
    const more = type === 'TRANSLATOR' ? { translationLanguages: chosen } : {};
    const data = { type, username, primaryLanguage: primary, ...more };
    begin({ command: 'USER_CREATE', data }, () => undefined);
  };
  return (
    <Threshold title={texts.register.title} about={texts.register.about(email)}>
      <form class="form" noValidate onSubmit={submit}>
        <div class="field">
          <label for={nameId}>{texts.register.name}</label>
          <input
            ref={input}
            id={nameId}
            class="input"
            value={name}
            maxLength={64}
            autocomplete="nickname"
            aria-invalid={isNameMissing}
            aria-describedby={`${nameId}-hint`}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          {isNameMissing && (
            <p id={`${nameId}-hint`} class="hint error" role="alert">
              {texts.register.nameMissing}
            </p>
          )}
        </div>
        <label class="field">
          <span class="label">{texts.register.language}</span>
          <select class="input" value={primary} onChange={(event) => setPrimary(event.currentTarget.value as Language)}>
            {languages.map((language) => (
              <option key={language} value={language}>
                {languageName(language, tag)}
              </option>
            ))}
          </select>
          <span class="hint">{texts.register.languageHint}</span>
        </label>
        <RoleChoice value={type} onChoose={setType} />
        {type === 'TRANSLATOR' && <TranslationLanguages primary={primary} chosen={chosen} onChange={setChosen} />}
        {problem !== undefined && (
          <p class="notice danger" role="alert">
            {problem.detail}
          </p>
        )}
        <button type="submit" class="button primary wide" aria-disabled={isBusy}>
          {isBusy ? texts.register.busy : texts.register.submit}
        </button>
        <button type="button" class="button plain wide" onClick={() => void signOut()}>
          {shared.signOut}
        </button>
      </form>
    </Threshold>
  );
}
