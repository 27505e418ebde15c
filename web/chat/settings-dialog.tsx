/** Who one is here, the language and the look of the page, and the way out. */

import { Avatar } from '../shared/avatar.tsx';
import { Dialog } from '../shared/dialog.tsx';
import { signOut } from '../shared/entrance.ts';
import { Icon } from '../shared/icon.tsx';
import { languageName, listed, useLanguage } from '../shared/language.ts';
import { LanguageChoice, LookChoice } from '../shared/preferences.tsx';
import { useSharedTexts } from '../shared/texts.ts';
import { useChat, useSession } from './chat-context.ts';
import { nameOf } from './names.ts';
import { useTexts } from './texts.ts';

export function SettingsDialog({ onClose }: { onClose(): void }) {
  const texts = useTexts();
  const shared = useSharedTexts();
  const tag = useLanguage();
  const { drafts } = useSession();
  const me = useChat((state) => state.me);
  if (me === undefined) return null;
  const name = nameOf(me, texts);
  const translated = (me.translationLanguages ?? []).map((language) => languageName(language, tag));
  const leave = (): void => {
    drafts.forget();
    void signOut();
  };
  return (
    <Dialog title={texts.settings.title} onClose={onClose}>
      <div class="person">
        <Avatar id={me.id} name={name} size="large" />
        <div class="person-text">
          <p class="person-name">{name}</p>
          <p class="muted small">{me.email}</p>
          <p class="muted small">
            {translated.length > 1
              ? texts.settings.translates(listed(tag, translated))
              : texts.settings.writes(languageName(me.primaryLanguage, tag))}
          </p>
        </div>
      </div>
      <div class="form">
        <LanguageChoice />
        <LookChoice />
      </div>
      <button type="button" class="button wide" onClick={leave}>
        <Icon name="signOut" />
        {shared.signOut}
      </button>
    </Dialog>
  );
}
