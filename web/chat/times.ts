/** Times as people say them, in the language of the page. */

import type { LanguageTag } from '../shared/language.ts';
import type { ChatTexts } from './texts.ts';

const dayMs = 24 * 3_600_000;

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** Whole days between, by the calendar. */
function daysAgo(at: number, now: number): number {
  return Math.round((midnight(now) - midnight(at)) / dayMs);
}

export function timeOfDay(tag: LanguageTag, at: number): string {
  return new Intl.DateTimeFormat(tag, { timeStyle: 'short' }).format(at);
}

export function fullTime(tag: LanguageTag, at: number): string {
  return new Intl.DateTimeFormat(tag, { dateStyle: 'full', timeStyle: 'short' }).format(at);
}

export function dayName(tag: LanguageTag, at: number, now: number, texts: ChatTexts): string {
  const days = daysAgo(at, now);
  if (days === 0) return texts.room.today;
  if (days === 1) return texts.room.yesterday;
  const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? {} : { year: 'numeric' as const };
  return new Intl.DateTimeFormat(tag, { weekday: 'long', day: 'numeric', month: 'long', ...year }).format(at);
}

/** The time of today, else the day. */
export function briefTime(tag: LanguageTag, at: number, now: number, texts: ChatTexts): string {
  const days = daysAgo(at, now);
  if (days === 0) return timeOfDay(tag, at);
  if (days === 1) return texts.room.yesterday;
  if (days < 7) return new Intl.DateTimeFormat(tag, { weekday: 'short' }).format(at);
  return new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short' }).format(at);
}
