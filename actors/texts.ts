/**
 * What people read: for every code, of operations and of the gateway, a title and a sentence in each of the chat's
 * languages, and the HTTP status it has. A code without a text does not compile.
 */

import type { GatewayCode, ProblemCatalog } from '../src/index.ts';
import type { Language, RejectionCode } from './contract.ts';
import { english } from './texts-english.ts';
import { italian } from './texts-italian.ts';
import { ukrainian } from './texts-ukrainian.ts';

/** Codes that the API gives beside the gateway's and the operations' own. */
type ApiCode = 'USER_NOT_REGISTERED' | 'OPERATION_NOT_FOUND';
/** A minted id that exists already; only a damaged client of the actors can cause it. */
type MintedCode = 'ROOM_ALREADY_EXISTS' | 'MESSAGE_ALREADY_EXISTS';
export type ChatCode = RejectionCode | ApiCode | MintedCode;

/** Per code its title and its sentence, with parameters in braces. */
export type Texts = Readonly<Record<ChatCode | GatewayCode, readonly [title: string, detail: string]>>;

export const languageTags: Readonly<Record<Language, string>> = { ENGLISH: 'en', UKRAINIAN: 'uk', ITALIAN: 'it' };

export const texts: Readonly<Record<string, Texts>> = { en: english, uk: ukrainian, it: italian };

export const chatStatuses: Readonly<Record<ChatCode, number>> = {
  USER_ALREADY_EXISTS: 409,
  USER_NOT_FOUND: 404,
  USER_NOT_REGISTERED: 403,
  NOT_OWN_USER: 403,
  LANGUAGES_INVALID: 422,
  ROOM_ALREADY_EXISTS: 409,
  ROOM_NOT_FOUND: 404,
  COMPANION_IS_SELF: 422,
  NOT_A_MEMBER: 403,
  MESSAGE_ALREADY_EXISTS: 409,
  MESSAGE_NOT_FOUND: 404,
  NOT_THE_SENDER: 403,
  NOT_A_TRANSLATOR: 403,
  LANGUAGE_NOT_KNOWN: 422,
  LANGUAGE_IS_ORIGINAL: 422,
  ALREADY_TRANSLATED: 409,
  OPERATION_PENDING: 409,
  OPERATION_TIMEOUT: 504,
  OPERATION_NOT_FOUND: 404,
};

const retryable: ReadonlySet<string> = new Set<ChatCode>(['OPERATION_PENDING', 'OPERATION_TIMEOUT']);

function filled(text: string, params: Readonly<Record<string, string | number>> | undefined): string {
  return text.includes('{') ? text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(params?.[name] ?? '?')) : text;
}

export const chatCatalog: ProblemCatalog = {
  languages: Object.values(languageTags),
  status: (code) => chatStatuses[code as ChatCode],
  retryable: (code) => retryable.has(code),
  text(code, params, language) {
    const known = texts[language] ?? english;
    const [title, detail] = known[code as ChatCode] ?? known.INTERNAL;
    return { title, detail: filled(detail, params) };
  },
};
