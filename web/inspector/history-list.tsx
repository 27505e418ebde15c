/**
 * The steps around the one that is shown, as a list: each leads to its step. Of a long history it is a page. It is one stop
 * of the keyboard, with arrows from step to step.
 */

import { useEffect, useRef } from 'preact/hooks';
import type { HistoryStep } from '../../src/inspect/answers.ts';
import { durationText } from './clock-words.ts';
import { stateText } from './machine-words.ts';
import { Empty, Panel, stateTone, Time } from './words.tsx';

export function HistoryList({
  steps,
  shown,
  newest,
  choose,
}: {
  readonly steps: readonly HistoryStep[];
  readonly shown: number;
  readonly newest: number;
  readonly choose: (version: number) => void;
}) {
  const list = useRef<HTMLOListElement>(null);
  const first = steps[0]?.version ?? 0;
  const last = steps.at(-1)?.version ?? 0;
  // Scrolls the list alone, never the page.
  useEffect(() => {
    const row = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current === null || row === null || row === undefined || shown === 0) return;
    const { offsetTop, offsetHeight } = row;
    const { scrollTop, clientHeight } = list.current;
    if (offsetTop < scrollTop) list.current.scrollTop = offsetTop;
    else if (offsetTop + offsetHeight > scrollTop + clientHeight) {
      list.current.scrollTop = offsetTop + offsetHeight - clientHeight;
    }
  }, [shown, first, last]);
  // Whoever walks by keyboard takes the focus along, also to another page.
  const isWalked = useRef(false);
  useEffect(() => {
    if (!isWalked.current) return;
    const row = list.current?.querySelector<HTMLElement>('[aria-current]');
    row?.focus({ preventScroll: true });
    if (row !== null) isWalked.current = false;
  }, [shown, first, last]);
  const walk = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const to = Math.max(1, Math.min(newest, shown + by));
    isWalked.current = to !== shown;
    choose(to);
  };
  const stop = steps.some(({ version }) => version === shown) ? shown : first;
  const isPart = steps.length < newest && first > 0;
  const range = isPart ? (
    <div class="history-range">
      <button type="button" class="button small" disabled={first <= 1} onClick={() => choose(first - 1)}>
        Earlier
      </button>
      <span class="muted small">{`${first}–${last} of ${newest}`}</span>
      <button type="button" class="button small" disabled={last >= newest} onClick={() => choose(last + 1)}>
        Later
      </button>
    </div>
  ) : null;
  return (
    <Panel title="History" id="history" class="history" actions={range}>
      {steps.length === 0 ? <Empty title={newest === 0 ? 'No event yet.' : 'Reading these steps…'} /> : null}
      <ol class="history-list" ref={list} onKeyDown={walk}>
        {steps.map(({ version, event, value, at }, i) => {
          const state = stateText(value);
          const gap = i === 0 ? undefined : at - (steps[i - 1]?.at ?? at);
          return (
            <li key={version}>
              <button
                type="button"
                class="history-row"
                aria-current={version === shown ? 'step' : undefined}
                tabIndex={version === stop ? 0 : -1}
                onClick={() => choose(version)}
              >
                <span class="history-version">{version}</span>
                <span class="history-event">{event.type}</span>
                <span class={`history-state ${stateTone(state)}`}>{state}</span>
                {gap === undefined ? <Time at={at} /> : <span class="time">+{durationText(gap)}</span>}
              </button>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
