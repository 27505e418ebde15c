/** Finds an actor by address, id, type, state or operation. A combobox: arrows choose, Enter goes, Escape closes. */

import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon } from '../shared/icon.tsx';
import { go } from './navigation.ts';
import { type Found, type Result, useSearch } from './search-results.ts';
import { stateTone } from './words.tsx';

/** A slash leads to the search from wherever nobody types. */
function useSlash(input: RefObject<HTMLInputElement>): void {
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const { target } = event;
      const isTyping = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, [input]);
}

interface ResultsProps {
  readonly id: string;
  readonly found: Found;
  readonly chosen: number;
  readonly isShown: boolean;
  readonly open: (index: number) => void;
}

interface OptionProps {
  readonly id: string;
  readonly isChosen: boolean;
  readonly open: () => void;
  readonly children: ComponentChildren;
}

function Option({ id, isChosen, open, children }: OptionProps) {
  const option = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isChosen) option.current?.scrollIntoView({ block: 'nearest' });
  }, [isChosen]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keyboard.
    <div
      ref={option}
      id={id}
      class="search-result"
      role="option"
      tabIndex={-1}
      aria-selected={isChosen}
      onMouseDown={(event) => event.preventDefault()}
      onClick={open}
    >
      {children}
    </div>
  );
}

function Results({ id, found: { results, sentence, next }, chosen, isShown, open }: ResultsProps) {
  const option = (i: number) => ({ id: `${id}-${i}`, isChosen: i === chosen, open: () => open(i) });
  return (
    <div class="search-results" hidden={!isShown}>
      <div id={`${id}-list`} role="listbox" aria-label="Found" tabIndex={-1} hidden={countOf(results, next) === 0}>
        {results.map(({ key, kind, title, note }, i) => (
          <Option key={key} {...option(i)}>
            <span class="search-kind">{kind}</span>
            <span class="search-title">{title}</span>
            {note === undefined ? null : <span class={`search-note ${stateTone(note)}`}>{note}</span>}
          </Option>
        ))}
        {next === undefined ? null : (
          <Option key="more" {...option(results.length)}>
            <span class="search-more">{results.length === 0 ? 'Look further…' : 'More…'}</span>
          </Option>
        )}
      </div>
      {sentence === undefined ? null : <p class="search-sentence">{sentence}</p>}
    </div>
  );
}

/** Options in the list: what was found, and the one that goes on. */
function countOf(results: readonly Result[], next: string | undefined): number {
  return results.length + (next === undefined ? 0 : 1);
}

function spoken({ results, sentence, next }: Found): string {
  if (results.length === 0) return sentence ?? '';
  return `${results.length} found${next === undefined ? '' : ', and there are more'}`;
}

export function SearchBox() {
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(0);
  const { found, more } = useSearch(text, isOpen);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useSlash(input);

  const { results, sentence, next } = found;
  const count = countOf(results, next);
  const isShown = isOpen && (count > 0 || sentence !== undefined);
  // Enter that comes before the results means the first of them, not one of those for what was typed before.
  const [isAwaited, setAwaited] = useState(false);
  const isCurrent = found.text === text;
  const type = (typed: string): void => {
    setText(typed);
    setChosen(0);
    setAwaited(false);
    setOpen(true);
  };
  const open = (index: number): void => {
    setAwaited(false);
    const result = results[index];
    if (result === undefined) return more();
    if (typeof result.leadsTo === 'string') return type(result.leadsTo);
    go(result.leadsTo);
    setText('');
    setOpen(false);
    input.current?.blur();
  };
  useEffect(() => {
    if (isAwaited && isCurrent) open(0);
  }, [isAwaited, isCurrent]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move !== undefined && count > 0) {
      event.preventDefault();
      setOpen(true);
      setChosen((chosen + move + count) % count);
    } else if (event.key === 'Enter' && isCurrent) open(chosen);
    else if (event.key === 'Enter') setAwaited(true);
    else if (event.key === 'Escape') setOpen(false);
  };
  return (
    <search class="search">
      <span class="search-icon">
        <Icon name="search" />
      </span>
      <input
        ref={input}
        class="input search-input"
        type="text"
        role="combobox"
        aria-label="Find an actor or an operation"
        aria-expanded={isShown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isShown && count > 0 ? `${id}-${chosen}` : undefined}
        placeholder="Find: room open, an id, an operation"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => type(event.currentTarget.value)}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <span class="search-key" aria-hidden="true">
        /
      </span>
      <Results id={id} found={found} chosen={chosen} isShown={isShown} open={open} />
      <p class="visually-hidden" role="status">
        {isShown ? spoken(found) : ''}
      </p>
    </search>
  );
}
