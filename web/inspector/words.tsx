/** Small things that many parts show: addresses, states, times, JSON, notices. */

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { StateValue } from '../../src/inspect/answers.ts';
import { timeText } from './clock-words.ts';
import { stateText } from './machine-words.ts';
import { go } from './navigation.ts';
import { type Place, searchOf } from './place.ts';

/** A link that opens its place without loading the page again. */
export function PlaceLink({
  place,
  children,
  ...rest
}: { readonly place: Place; readonly children: ComponentChildren } & JSX.AnchorHTMLAttributes) {
  const open = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(place);
  };
  return (
    <a {...rest} href={`/inspector${searchOf(place)}`} onClick={open}>
      {children}
    </a>
  );
}

/** `room/8f14e45f…`: the type and the beginning of the id; all of it as its title. */
export function Address({ address, seq }: { readonly address: string; readonly seq?: number | undefined }) {
  const [type = '', id = ''] = address.split('/');
  return (
    <PlaceLink class="address" title={address} place={{ view: 'actor', actor: address, seq }}>
      <span class="address-type">{type}</span>
      <span class="address-id">{id.slice(0, 8)}</span>
    </PlaceLink>
  );
}

export function OperationLink({ id }: { readonly id: string }) {
  return (
    <PlaceLink class="code" title={`Operation ${id}`} place={{ view: 'operation', operation: id }}>
      {id.slice(0, 8)}
    </PlaceLink>
  );
}

export function stateTone(text: string): string {
  if (/error|reject|fail|dead/i.test(text)) return 'bad';
  return /completed|done|open|existing|present/i.test(text) ? 'good' : 'plain';
}

export function StateChip({ value }: { readonly value: StateValue }) {
  const text = stateText(value);
  return <span class={`chip ${stateTone(text)}`}>{text}</span>;
}

/** Local time with milliseconds, and the date unless it is today's; all of it and the zone in its title. */
export function Time({ at }: { readonly at: number }) {
  const date = new Date(at);
  return (
    <time class="time" dateTime={date.toISOString()} title={date.toString()}>
      {timeText(date, new Date())}
    </time>
  );
}

const inlineMax = 120;

export function inlineJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length <= inlineMax ? text : `${text.slice(0, inlineMax - 1)}…`;
}

export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section class="json" tabIndex={0} aria-label={label}>
      <pre>{JSON.stringify(value, undefined, 2) ?? 'undefined'}</pre>
    </section>
  );
}

/** Nothing where browsers give no clipboard: on pages without TLS that are not this machine's. */
export function Copy({ text, label }: { readonly text: string; readonly label: string }) {
  const [isDone, setDone] = useState(false);
  if (navigator.clipboard === undefined) return null;
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => {
        setDone(true);
        setTimeout(() => setDone(false), 1_500);
      },
      () => undefined,
    );
  };
  return (
    <button type="button" class="button plain small" onClick={copy} aria-label={label}>
      {isDone ? 'Copied' : 'Copy'}
    </button>
  );
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <p class="muted small">{children}</p>}
    </div>
  );
}

export function Panel({
  title,
  id,
  actions,
  class: className = '',
  children,
}: {
  readonly title: string;
  readonly id: string;
  readonly actions?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={`panel ${className}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}
