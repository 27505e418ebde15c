/**
 * The slider over an actor's history, its buttons, the number of the step (of a long history one types it), and a strip
 * that shows which steps belong to one operation.
 */

import { useEffect, useState } from 'preact/hooks';
import type { HistoryStep } from '../../src/inspect/answers.ts';
import { ControlIcon } from './control-icon.tsx';
import type { Move } from './history.ts';
import { stateText } from './machine-words.ts';
import type { Timeline } from './timeline.ts';

/** More steps than this have no marks of their own: they would be thinner than a line. */
const marksMax = 150;

function Strip({ timeline, steps }: { readonly timeline: Timeline; readonly steps: readonly HistoryStep[] }) {
  const { newest, shown } = timeline;
  if (newest === 0 || newest > marksMax) return null;
  let tone = 0;
  const marks = steps.map(({ version, operation }, i) => {
    if (i > 0 && operation !== steps[i - 1]?.operation) tone = 1 - tone;
    const state = version === shown ? 'is-shown' : version < shown ? 'is-past' : '';
    return (
      <rect key={version} class={`mark tone-${tone} ${state}`} x={version - 0.44} y={0} width={0.88} height={10} />
    );
  });
  return (
    <svg class="strip" viewBox={`-0.5 0 ${newest + 1} 10`} preserveAspectRatio="none" aria-hidden="true">
      {marks}
    </svg>
  );
}

function spoken({ shown, newest }: Timeline, step: HistoryStep | undefined): string {
  if (shown === 0) return `Before the first of ${newest} events`;
  return `${shown} of ${newest}${step === undefined ? '' : `: ${step.event.type}, then ${stateText(step.value)}`}`;
}

/** The step, to be read and to be typed; what is typed counts when it is entered. */
function StepNumber({
  shown,
  newest,
  choose,
}: {
  readonly shown: number;
  readonly newest: number;
  readonly choose: (version: number) => void;
}) {
  const [text, setText] = useState(String(shown));
  useEffect(() => setText(String(shown)), [shown]);
  const enter = (): void => {
    const version = Number(text);
    if (!/^\d{1,15}$/.test(text) || version === shown) return setText(String(shown));
    choose(version);
    // Beyond the end it becomes the end, which may be where one is.
    setText(String(Math.min(version, newest)));
  };
  return (
    <form
      class="timeline-count"
      onSubmit={(event) => {
        event.preventDefault();
        enter();
      }}
    >
      <input
        class="step-number"
        aria-label="Step"
        inputMode="numeric"
        autocomplete="off"
        disabled={newest === 0}
        size={Math.max(2, String(newest).length)}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onFocus={(event) => event.currentTarget.select()}
        onBlur={enter}
      />
      <span class="muted">of {newest}</span>
    </form>
  );
}

export function TimelineBar({
  timeline,
  step,
  steps,
  move,
}: {
  readonly timeline: Timeline;
  readonly step: HistoryStep | undefined;
  readonly steps: readonly HistoryStep[];
  readonly move: (command: Move) => void;
}) {
  const { shown, newest, isPlaying, isFollowing } = timeline;
  const to = (version: number) => () => move({ kind: 'to', version });
  return (
    <div class="timeline">
      <div class="timeline-buttons">
        <button type="button" class="icon-button" aria-label="First" disabled={shown === 0} onClick={to(0)}>
          <ControlIcon name="first" />
        </button>
        <button type="button" class="icon-button" aria-label="Back" disabled={shown === 0} onClick={to(shown - 1)}>
          <ControlIcon name="back" />
        </button>
        <button
          type="button"
          class="icon-button play"
          aria-label={isPlaying ? 'Pause' : 'Play'}
          disabled={newest === 0}
          onClick={() => move({ kind: isPlaying ? 'stop' : 'play' })}
        >
          <ControlIcon name={isPlaying ? 'pause' : 'play'} />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Forward"
          disabled={shown >= newest}
          onClick={to(shown + 1)}
        >
          <ControlIcon name="forward" />
        </button>
        <button type="button" class="icon-button" aria-label="Last" disabled={shown >= newest} onClick={to(newest)}>
          <ControlIcon name="last" />
        </button>
      </div>
      <div class="timeline-track">
        <Strip timeline={timeline} steps={steps} />
        <input
          type="range"
          class="slider"
          min={0}
          max={newest}
          value={shown}
          disabled={newest === 0}
          aria-label="Position in the history"
          aria-valuetext={spoken(timeline, step)}
          onInput={(event) => move({ kind: 'to', version: Number(event.currentTarget.value) })}
        />
      </div>
      <StepNumber shown={shown} newest={newest} choose={(version) => move({ kind: 'to', version })} />
      <button
        type="button"
        class={`button follow ${isFollowing ? 'is-on' : ''}`}
        aria-pressed={isFollowing}
        onClick={() => move(isFollowing ? { kind: 'to', version: shown } : { kind: 'follow' })}
      >
        <span class="dot" aria-hidden="true" />
        Follow
      </button>
    </div>
  );
}
