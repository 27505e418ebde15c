/**
 * The language of the pages: what was chosen, else what the browser asks for, else English. Texts are objects of one
 * shape per language, so that one that is missing does not compile.
 */

import { createAtom, useAtom } from '@xstate/store-preact';
import type { Language } from '../../machines/vocabulary.ts';

export type LanguageTag = 'en' | 'uk' | 'it';

/** Texts of one kind in every language. */
export type Translated<T> = Readonly<Record<LanguageTag, T>>;

export const languageTags: readonly LanguageTag[] = ['en', 'uk', 'it'];
export const tagOf: Readonly<Record<Language, LanguageTag>> = { ENGLISH: 'en', UKRAINIAN: 'uk', ITALIAN: 'it' };
export const languageOf: Translated<Language> = { en: 'ENGLISH', uk: 'UKRAINIAN', it: 'ITALIAN' };
/** Each in itself, as people look for their own. */
export const ownNames: Translated<string> = { en: 'English', uk: 'Українська', it: 'Italiano' };

const storageKey = 'troupe.language';

function isTag(value: string | null | undefined): value is LanguageTag {
  return languageTags.some((tag) => tag === value);
}

function preferred(): LanguageTag {
  const chosen = localStorage.getItem(storageKey);
  if (isTag(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isTag) ?? 'en';
}

export const language = createAtom<LanguageTag>(preferred());

function tellDocument(tag: LanguageTag): void {
  document.documentElement.lang = tag;
}

tellDocument(language.get());
language.subscribe(tellDocument);

export function chooseLanguage(tag: LanguageTag): void {
  localStorage.setItem(storageKey, tag);
  language.set(tag);
}

/** Whether a person chose, as opposed to their browser. */
export function isLanguageChosen(): boolean {
  return isTag(localStorage.getItem(storageKey));
}

export function useLanguage(): LanguageTag {
  return useAtom(language);
}

/** A language's name in the language of the page: "Italian", "італійська". */
export function languageName(named: Language, tag: LanguageTag): string {
  return new Intl.DisplayNames(tag, { type: 'language' }).of(tagOf[named]) ?? named;
}

/** The form of a counted noun: forms per category of the language's plural rules. */
export function plural(tag: LanguageTag, count: number, forms: Readonly<Record<string, string>>): string {
  const form = forms[new Intl.PluralRules(tag).select(count)] ?? forms.other ?? '';
  return form.replace('#', new Intl.NumberFormat(tag).format(count));
}

/** The words "a, b and c" in the language of the page. */
export function listed(tag: LanguageTag, names: readonly string[]): string {
  return new Intl.ListFormat(tag, { type: 'conjunction' }).format(names);
}
