/** What the chat page says, in one shape for every language. */

import type { Language } from '../../machines/vocabulary.ts';
import { type LanguageTag, type Translated, useLanguage } from '../shared/language.ts';
import { english } from './texts-english.ts';
import { italian } from './texts-italian.ts';
import { ukrainian } from './texts-ukrainian.ts';

export interface ChatTexts {
  readonly about: string;
  readonly skip: string;
  readonly loading: string;
  readonly loadFailed: string;
  readonly you: string;
  readonly someone: string;
  readonly register: {
    readonly title: string;
    readonly about: (email: string) => string;
    readonly name: string;
    readonly nameMissing: string;
    readonly language: string;
    readonly languageHint: string;
    readonly role: string;
    readonly regular: string;
    readonly regularHint: string;
    readonly translator: string;
    readonly translatorHint: string;
    readonly languages: string;
    readonly submit: string;
    readonly busy: string;
  };
  readonly connection: {
    readonly reconnecting: string;
    readonly closed: string;
    readonly reconnect: string;
    readonly back: string;
  };
  readonly rooms: {
    readonly title: string;
    readonly none: string;
    readonly noneHint: string;
    readonly pick: string;
    readonly pickHint: string;
    readonly unread: (count: number) => string;
    readonly nothingYet: string;
    readonly alone: string;
    readonly gone: string;
    readonly goneHint: string;
  };
  readonly room: {
    readonly back: string;
    readonly messages: (title: string) => string;
    readonly online: string;
    readonly offline: string;
    readonly people: (count: number, online: number) => string;
    readonly typing: (names: readonly string[]) => string;
    readonly addMember: string;
    readonly members: string;
    readonly empty: string;
    readonly emptyHint: string;
    readonly older: string;
    readonly begin: string;
    readonly newest: string;
    readonly today: string;
    readonly yesterday: string;
  };
  readonly message: {
    readonly edited: string;
    readonly edit: string;
    readonly readBy: (names: readonly string[]) => string;
    readonly waiting: string;
    readonly sending: string;
    readonly notSent: string;
    readonly notSaved: string;
    readonly saving: string;
    readonly remove: string;
    readonly translatedBy: (language: string, name: string) => string;
    readonly showTranslations: (count: number) => string;
    readonly hideTranslations: (count: number) => string;
    readonly actions: (name: string) => string;
    readonly arrived: (name: string, content: string) => string;
  };
  readonly composer: {
    readonly label: string;
    readonly placeholder: string;
    readonly send: string;
    readonly editing: string;
    readonly save: string;
    readonly tooLong: (count: number) => string;
  };
  readonly people: {
    readonly newChat: string;
    readonly add: (title: string) => string;
    readonly search: string;
    readonly none: string;
    readonly found: (count: number) => string;
    readonly busy: string;
    readonly translator: string;
    readonly already: string;
  };
  readonly translate: {
    readonly title: string;
    readonly count: (count: number) => string;
    readonly about: string;
    readonly empty: string;
    readonly emptyHint: string;
    readonly action: string;
    readonly into: string;
    readonly text: (language: string) => string;
    readonly submit: string;
    readonly busy: string;
    readonly done: string;
    readonly from: (name: string, room: string) => string;
    readonly older: string;
    readonly meanwhile: string;
  };
  readonly settings: {
    readonly title: string;
    readonly profile: string;
    readonly writes: (language: string) => string;
    readonly translates: (languages: string) => string;
  };
  readonly help: {
    readonly title: string;
    readonly keys: readonly (readonly [keys: string, meaning: string])[];
  };
}

const texts: Translated<ChatTexts> = { en: english, uk: ukrainian, it: italian };

export function textsOf(tag: LanguageTag): ChatTexts {
  return texts[tag];
}

export function useTexts(): ChatTexts {
  return texts[useLanguage()];
}

export const languages: readonly Language[] = ['ENGLISH', 'UKRAINIAN', 'ITALIAN'];
