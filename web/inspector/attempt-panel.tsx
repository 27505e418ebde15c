/**
 * What a machine would do with an event at the step that is shown: typed as JSON, tried on a fork that changes nothing,
 * and answered with the state after it or with the guards that were against it. An event that was refused, or that died, is
 * given by whoever leads here from it, and tried at once.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { AnyEvent, Attempt, HistoryStep, Refusal, StateValue } from '../../src/inspect/answers.ts';
import { Changes } from './context-panel.tsx';
import { useDesk } from './desk.ts';
import { eventNames, exampleOf, stateText } from './machine-words.ts';
import { typedEvent } from './typed-event.ts';
import { Panel, StateChip } from './words.tsx';

interface Outcome {
  readonly event: AnyEvent;
  readonly version: number;
  readonly attempt: Attempt;
}

function Guards({ refusal }: { readonly refusal: Refusal }) {
  return (
    <ul class="candidates">
      {refusal.candidates.map(({ transition, state, guard, passed, error }) => (
        <li key={transition}>
          <span class="muted">in</span> <code>{state}</code>
          {guard === undefined ? null : (
            <>
              <span class="muted"> guard </span>
              <code class={passed ? 'good' : 'bad'}>{guard}</code>
              {passed ? ' held' : error === undefined ? ' said no' : ` threw: ${error}`}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Whether something in it is shown, and therefore tried, as `…`. */
function hidesSomething(event: AnyEvent): boolean {
  return JSON.stringify(event).includes('"…"');
}

function Result({ outcome, before }: { readonly outcome: Outcome; readonly before: unknown }) {
  const { event, version, attempt } = outcome;
  return (
    <div class={`verdict ${attempt.accepted ? 'good' : 'bad'}`}>
      <p class="verdict-title">{attempt.accepted ? 'It would be accepted' : 'It would be refused'}</p>
      {attempt.accepted ? (
        <>
          <p class="verdict-state">
            <code>{event.type}</code> at step {version} leads to <StateChip value={attempt.value} />
          </p>
          {attempt.effects.length === 0 ? null : (
            <p class="effects">
              {attempt.effects.map(({ type }, i) => (
                <span class="tag" key={i}>
                  {type}
                </span>
              ))}
            </p>
          )}
          <Changes before={before} after={attempt.context} />
        </>
      ) : (
        <>
          <p>{attempt.refusal?.reason ?? `Nothing takes ${event.type} in ${stateText(attempt.value)}.`}</p>
          {attempt.refusal === undefined ? null : <Guards refusal={attempt.refusal} />}
        </>
      )}
      <p class="muted small">
        Tried on a copy: nothing was journaled, and nobody heard of it.
        {hidesSomething(event) ? ' What is personal in the event was tried as “…”.' : ''}
      </p>
    </div>
  );
}

function Examples({
  definition,
  value,
  history,
  choose,
}: {
  readonly definition: unknown;
  readonly value: StateValue | undefined;
  readonly history: readonly HistoryStep[];
  readonly choose: (event: AnyEvent) => void;
}) {
  const { here, elsewhere } = eventNames(definition, value);
  const options = (names: readonly string[]) =>
    names.map((name) => (
      <option key={name} value={name}>
        {name}
      </option>
    ));
  return (
    <select
      class="input small"
      aria-label="Begin with an event of the machine"
      value=""
      onChange={({ currentTarget }) => {
        if (currentTarget.value !== '') choose(exampleOf(currentTarget.value, history));
        currentTarget.value = '';
      }}
    >
      <option value="">Events of the machine…</option>
      <optgroup label="Known in this state">{options(here)}</optgroup>
      {elsewhere.length === 0 ? null : <optgroup label="Known elsewhere">{options(elsewhere)}</optgroup>}
    </select>
  );
}

export function AttemptPanel({
  address,
  version,
  value,
  context,
  definition,
  history,
  given,
  onOutcome,
}: {
  readonly address: string;
  readonly version: number;
  readonly value: StateValue | undefined;
  readonly context: unknown;
  readonly definition: unknown;
  readonly history: readonly HistoryStep[];
  /** To be tried when what it is tried on is there. */
  readonly given: AnyEvent | undefined;
  /** Told of each answer, and when it is about nothing any more. */
  readonly onOutcome: (attempt: Attempt | undefined) => void;
}) {
  const { api } = useDesk();
  const [text, setText] = useState('');
  const [sentence, setSentence] = useState<string>();
  const [outcome, setOutcome] = useState<Outcome>();
  const tell = (told: Outcome | undefined): void => {
    setOutcome(told);
    onOutcome(told?.attempt);
  };
  const latest = useRef(version);
  latest.current = version;
  // An answer is about one step: at another it would be another.
  useEffect(() => {
    tell(undefined);
    setSentence(undefined);
  }, [address, version]);

  const attempt = async (event: string): Promise<void> => {
    tell(undefined);
    const typed = typedEvent(event);
    if (!typed.ok) return setSentence(typed.sentence);
    setSentence(undefined);
    try {
      const answer = await api.attempt(address, version, typed.event);
      if (latest.current === version) tell({ event: typed.event, version, attempt: answer });
    } catch (error) {
      if (latest.current === version) setSentence(error instanceof Error ? error.message : String(error));
    }
  };
  const box = useRef<HTMLDivElement>(null);
  const isThere = value !== undefined;
  const used = useRef<AnyEvent>();
  useEffect(() => {
    if (given === undefined || given === used.current || !isThere) return;
    used.current = given;
    const event = JSON.stringify(given, undefined, 2);
    setText(event);
    void attempt(event).then(() => box.current?.scrollIntoView({ block: 'center' }));
  }, [given, isThere]);
  return (
    <Panel title="What if" id="what-if" class="what-if">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(text);
        }}
      >
        <label class="label" for="typed-event">
          An event for the machine, as it is at step {version}
        </label>
        <Examples
          definition={definition}
          value={value}
          history={history}
          choose={(event) => {
            setText(JSON.stringify(event, undefined, 2));
            setSentence(undefined);
          }}
        />
        <textarea
          id="typed-event"
          class="input code"
          rows={5}
          spellcheck={false}
          autocomplete="off"
          placeholder='{"type": "…"}'
          value={text}
          aria-invalid={sentence !== undefined}
          aria-describedby="typed-event-wrong"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void attempt(text);
          }}
        />
        <p id="typed-event-wrong" class="wrong" role="alert">
          {sentence}
        </p>
        <button type="submit" class="button primary">
          Try it on a copy
        </button>
      </form>
      <div role="status" ref={box}>
        {outcome === undefined ? null : <Result outcome={outcome} before={context} />}
      </div>
    </Panel>
  );
}
