/**
 * Where the list of a room stands: at its end, which then stays in sight whatever comes, or at a message, which stays
 * where it is whatever is drawn above or below. The browser's own anchoring is off in chat.css: not every browser has
 * it, and two that correct the same movement would make it twice.
 */

import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** This near to its end, a list follows what comes. */
const nearEndPx = 48;
/** This near to its beginning, a list reads on. */
const nearBeginningPx = 600;

/** A message and how far below the list's upper edge it begins; undefined at the end. */
type Place = { readonly message: Element; readonly top: number } | undefined;

function topIn(box: Element, element: Element): number {
  return element.getBoundingClientRect().top - box.getBoundingClientRect().top;
}

/** The first message that is seen, found by halving: further down is further down in the list. */
function placeOf(box: HTMLElement): Place {
  if (box.scrollHeight - box.scrollTop - box.clientHeight < nearEndPx) return undefined;
  const messages = box.querySelectorAll('[data-message]');
  let [from, to] = [0, messages.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    const message = messages[middle] as Element;
    if (topIn(box, message) + message.clientHeight > 0) to = middle;
    else from = middle + 1;
  }
  const message = messages[from];
  return message === undefined ? undefined : { message, top: topIn(box, message) };
}

function hold(box: HTMLElement, place: Place): void {
  if (place === undefined) box.scrollTop = box.scrollHeight;
  else if (place.message.isConnected) box.scrollTop += topIn(box, place.message) - place.top;
}

export interface Scrolling {
  readonly box: RefObject<HTMLElement>;
  /** All that is in the box, as one element: its height is the list's. */
  readonly content: RefObject<HTMLDivElement>;
  readonly isAtEnd: boolean;
  scrolled(): void;
  toEnd(): void;
}

/** `sending`: what one has sent is looked at. `onNearBeginning` may be called again and again. */
export function useScrolling(sending: number, onNearBeginning: () => void): Scrolling {
  const box = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const place = useRef<Place>(undefined);
  const sent = useRef(sending);
  const [isAtEnd, setAtEnd] = useState(true);
  // While this is drawn the list is still as it was before: the last moment to see where it stands.
  if (sending > sent.current) place.current = undefined;
  else if (box.current !== null) place.current = placeOf(box.current);
  sent.current = sending;

  const look = (): void => {
    if (box.current === null) return;
    setAtEnd(place.current === undefined);
    if (box.current.scrollTop < nearBeginningPx) onNearBeginning();
  };
  const keep = (): void => {
    if (box.current !== null) hold(box.current, place.current);
  };
  useLayoutEffect(keep);
  useEffect(look);
  const resized = useRef<() => void>(() => undefined);
  resized.current = () => {
    keep();
    look();
  };
  useEffect(() => {
    const observer = new ResizeObserver(() => resized.current());
    for (const element of [box.current, content.current]) if (element !== null) observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return {
    box,
    content,
    isAtEnd,
    scrolled() {
      if (box.current !== null) place.current = placeOf(box.current);
      look();
    },
    toEnd() {
      place.current = undefined;
      keep();
      look();
      box.current?.focus();
    },
  };
}

/** ↑ and ↓ go from message to message, from wherever one is among them but a field. */
export function stepThrough(event: KeyboardEvent): void {
  const { currentTarget: box, target, key } = event;
  const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!(box instanceof HTMLElement && target instanceof HTMLElement) || !isPlain) return;
  if ((key !== 'ArrowUp' && key !== 'ArrowDown') || target.matches('textarea, input, select')) return;
  const messages = [...box.querySelectorAll<HTMLElement>('.message')];
  const current = target.closest<HTMLElement>('.message');
  const at = current === null ? messages.length : messages.indexOf(current);
  const next = messages[key === 'ArrowUp' ? at - 1 : at + 1];
  if (next === undefined) return;
  next.focus();
  event.preventDefault();
}
