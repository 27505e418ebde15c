/** The two choices that every page offers: its language and its look. */

import { chooseLanguage, type LanguageTag, languageTags, ownNames, useLanguage } from './language.ts';
import { chooseLook, type Look, looks, useLook } from './look.ts';
import { useSharedTexts } from './texts.ts';

export function LanguageChoice({ onChoose = chooseLanguage }: { readonly onChoose?: (tag: LanguageTag) => void }) {
  const texts = useSharedTexts();
  const chosen = useLanguage();
  return (
    <label class="select">
      <span class="label">{texts.language}</span>
      <select class="input" value={chosen} onChange={(event) => onChoose(event.currentTarget.value as LanguageTag)}>
        {languageTags.map((tag) => (
          <option key={tag} value={tag} lang={tag}>
            {ownNames[tag]}
          </option>
        ))}
      </select>
    </label>
  );
}

export function LookChoice() {
  const texts = useSharedTexts();
  const chosen = useLook();
  return (
    <label class="select">
      <span class="label">{texts.look}</span>
      <select class="input" value={chosen} onChange={(event) => chooseLook(event.currentTarget.value as Look)}>
        {looks.map((look) => (
          <option key={look} value={look}>
            {texts.looks[look]}
          </option>
        ))}
      </select>
    </label>
  );
}
