/** One actor: its chart with the state that is shown lit, its history with a slider, the step, the context, and what if. */

import { useEffect, useState } from 'preact/hooks';
import type { Actor, Attempt, StateValue, TypeRow } from '../../src/inspect/answers.ts';
import { AttemptPanel } from './attempt-panel.tsx';
import { ChartPanel } from './chart-panel.tsx';
import { ContextPanel } from './context-panel.tsx';
import { useDesk } from './desk.ts';
import { type History, useHistory } from './history.ts';
import { HistoryList } from './history-list.tsx';
import { useLoaded } from './loading.ts';
import { LogPanel } from './log-panel.tsx';
import { settle } from './navigation.ts';
import type { ActorPlace } from './place.ts';
import { StepPanel } from './step-panel.tsx';
import { TimelineBar } from './timeline-bar.tsx';
import { Copy, StateChip } from './words.tsx';

function residence({ shard, owner, isResident }: Actor): string {
  const where = `shard ${shard}${owner === null ? ', which nobody owns' : ` at ${owner}`}`;
  // Only its own node knows whether it is in memory.
  if (isResident === null) return where;
  return `${where} · ${isResident ? 'in memory' : 'in the journal alone'}`;
}

function Head({
  address,
  history,
  value,
}: {
  readonly address: string;
  readonly history: History;
  readonly value: StateValue | undefined;
}) {
  const [type = '', id = ''] = address.split('/');
  const { timeline, actor } = history;
  const isPast = actor !== undefined && timeline.shown < timeline.newest;
  return (
    <header class="view-head">
      <div class="title-row">
        <h1>{type}</h1>
        {value === undefined ? null : <StateChip value={value} />}
        {isPast ? <span class="chip past">in the past</span> : null}
      </div>
      <p class="view-id">
        <code>{id}</code>
        <Copy text={address} label="Copy the address" />
        {actor === undefined ? null : <span class="muted">{residence(actor)}</span>}
      </p>
    </header>
  );
}

/** The address line says where one stands in the history, and nothing while one follows. */
function useSettledPlace(address: string, { timeline, actor }: History): void {
  const { shown, isFollowing } = timeline;
  const isRead = actor !== undefined;
  useEffect(() => {
    if (isRead) settle({ view: 'actor', actor: address, seq: isFollowing ? undefined : shown });
  }, [address, shown, isFollowing, isRead]);
}

/** What a retired actor is may be less than what its history shows, up to the step after which it was reduced. */
function retirement({ actor, timeline }: History): string | undefined {
  if (actor?.retired === undefined) return undefined;
  const { retired } = actor;
  return timeline.shown > retired
    ? `It was retired after step ${retired}: what you see grew out of its outcome.`
    : `It was retired after step ${retired}, reduced to its outcome. You see it as it was before.`;
}

function Past({
  place: { actor: address, seq, tried },
  history,
  type,
}: {
  readonly place: ActorPlace;
  readonly history: History;
  readonly type: TypeRow | undefined;
}) {
  const { actor, timeline, step, before, around, read, move, notice } = history;
  const [attempt, setAttempt] = useState<Attempt>();
  const isBeginning = timeline.shown === 0;
  const value = isBeginning ? before?.value : step?.value;
  const context = isBeginning ? before?.context : step?.context;
  const isAtPlace = seq === undefined ? timeline.isFollowing : timeline.shown === seq;
  // An event would meet what is left of it.
  const isReduced = actor?.retired === timeline.shown && actor.version === timeline.shown;
  return (
    <div class="bench">
      <div class="bench-main">
        <ChartPanel
          definition={type?.definition}
          value={value}
          taken={step?.taken}
          version={timeline.shown}
          attempt={attempt}
        />
        <TimelineBar timeline={timeline} step={step} steps={around} move={move} />
        <HistoryList
          steps={around}
          shown={timeline.shown}
          newest={timeline.newest}
          choose={(version) => move({ kind: 'to', version })}
        />
        <LogPanel title="Live events" of={address} hint="What it accepts or refuses from now on appears here." />
      </div>
      <div class="bench-side">
        <StepPanel step={step} version={timeline.shown} isLacking={notice !== undefined} />
        <ContextPanel before={isBeginning ? undefined : before?.context} after={context} version={timeline.shown} />
        <AttemptPanel
          address={address}
          version={timeline.shown}
          value={value}
          context={isReduced ? actor.context : context}
          definition={type?.definition}
          history={read}
          given={isAtPlace ? tried : undefined}
          onOutcome={setAttempt}
        />
      </div>
    </div>
  );
}

export function ActorView({ place }: { readonly place: ActorPlace }) {
  const { actor: address } = place;
  const { api } = useDesk();
  const history = useHistory(place);
  const types = useLoaded('types', () => api.types());
  useSettledPlace(address, history);
  const { step, before, timeline, isAbsent, failure, notice } = history;
  const type = types.data?.find((row) => row.type === address.split('/')[0]);
  const problem = failure ?? types.failure;
  const retired = retirement(history);
  const isUnknown = types.data !== undefined && type === undefined;
  return (
    <main class="view actor" id="main" tabIndex={-1}>
      <Head address={address} history={history} value={timeline.shown === 0 ? before?.value : step?.value} />
      {problem === undefined ? null : (
        <p class="notice danger" role="alert">
          {problem.message}
        </p>
      )}
      {notice === undefined ? null : <p class="notice warning">{notice}</p>}
      {retired === undefined ? null : <p class="notice">{retired}</p>}
      {isUnknown ? <p class="notice warning">This server knows no actors of this type.</p> : null}
      {isAbsent && !isUnknown ? (
        <p class="notice">Nothing has happened to this actor. It is followed: its first event appears here.</p>
      ) : null}
      {isUnknown ? null : <Past place={place} history={history} type={type} />}
    </main>
  );
}
