/** An operation: its sequence diagram across saga and participants, its steps as a table, and how long it took. */

import { useSelector } from '@xstate/store-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { AnyEvent, OperationStep } from '../../src/inspect/answers.ts';
import { durationText } from './clock-words.ts';
import { useDesk } from './desk.ts';
import { codeOf } from './event-code.ts';
import { useLoaded, useRefresh } from './loading.ts';
import { go } from './navigation.ts';
import { sequenceOf, toneOf } from './sequence.ts';
import { SequenceView } from './sequence-view.tsx';
import { Address, Copy, Empty, Panel, PlaceLink, Time } from './words.tsx';

/** The operation's own actor is called like it. */
function sagaIn(id: string, steps: readonly OperationStep[]): OperationStep | undefined {
  return steps.find(({ address }) => address.endsWith(`/${id}`));
}

/** What it came to, as the events of its own actor's name say: every saga ends in one of two. */
function endOf(steps: readonly OperationStep[]): 'completed' | 'failed' | 'open' {
  const emitted = steps.flatMap((step) => step.emitted);
  if (emitted.some((type) => type.endsWith('_ERROR'))) return 'failed';
  return emitted.some((type) => type.endsWith('_COMPLETED')) ? 'completed' : 'open';
}

const tones = { completed: 'good', failed: 'bad', open: 'plain' } as const;
const ends = { completed: 'completed', failed: 'failed, undone', open: 'not ended' } as const;

function Code({ event }: { readonly event: AnyEvent }) {
  const code = toneOf(event.type) === 'bad' ? codeOf(event) : undefined;
  return code === undefined ? null : <span class="tag bad">{code}</span>;
}

/** Of an operation that failed: the code that it was refused with first. */
function reasonIn(steps: readonly OperationStep[]): string | undefined {
  const refused = steps.filter(({ event }) => toneOf(event.type) === 'bad');
  return refused.map(({ event }) => codeOf(event) ?? event.type)[0];
}

function Steps({ steps }: { readonly steps: readonly OperationStep[] }) {
  const first = steps[0]?.at ?? 0;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section class="scroll" tabIndex={0} aria-label="Steps of the operation">
      <table class="table steps">
        <thead>
          <tr>
            <th scope="col" class="number">
              Since
            </th>
            <th scope="col">Time</th>
            <th scope="col">Event</th>
            <th scope="col">At</th>
            <th scope="col">From</th>
            <th scope="col" class="number">
              Shard
            </th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ address, version, at, event, from, shard }) => (
            <tr key={`${address} ${version}`}>
              <td class="number">{durationText(Math.max(0, at - first))}</td>
              <td>
                <Time at={at} />
              </td>
              <td>
                <PlaceLink class="event-type" place={{ view: 'actor', actor: address, seq: version }}>
                  {event.type}
                </PlaceLink>{' '}
                <Code event={event} />
              </td>
              <td>
                <Address address={address} seq={version} />
              </td>
              <td>{from === undefined ? <span class="muted">outside</span> : <Address address={from} />}</td>
              <td class="number">{shard}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const namesakesMax = 12;

/** Actors whose id somebody took for an operation's. */
function Namesakes({ id }: { readonly id: string }) {
  const { api } = useDesk();
  const { data } = useLoaded(id, () => api.actors({ id, limit: namesakesMax }));
  if (data === undefined || data.rows.length === 0) return null;
  return (
    <p class="notice">
      It is the id of{' '}
      {data.rows.map(({ address }) => (
        <Address key={address} address={address} />
      ))}
    </p>
  );
}

/** Whether the page is as narrow as a phone. */
function useNarrow(): boolean {
  const [query] = useState(() => matchMedia('(width < 44rem)'));
  const [isNarrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const look = (): void => setNarrow(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, [query]);
  return isNarrow;
}

export function OperationView({ id }: { readonly id: string }) {
  const { api, inspection } = useDesk();
  const { data, failure, reload } = useLoaded(id, () => api.operation(id));
  // The socket shows this operation alone: whatever it says is a reason to read the journal again.
  const arrived = useSelector(inspection, ({ context }) => context.log.arrived);
  const connection = useSelector(inspection, ({ context }) => context.connection);
  useEffect(() => {
    if (arrived > 0) reload();
  }, [arrived, reload]);
  const steps = data?.steps ?? [];
  const end = endOf(steps);
  useRefresh(reload, connection === 'live', end === 'open' && steps.length > 0);
  const isNarrow = useNarrow();
  const saga = sagaIn(id, steps);
  const name = saga?.address.split('/')[0] ?? 'Operation';
  const sequence = useMemo(
    () => sequenceOf(steps, isNarrow ? { laneWidth: 128, prefix: `${name}_` } : {}),
    [steps, name, isNarrow],
  );
  const actors = new Set(steps.map(({ address }) => address)).size;
  return (
    <main class="view operation" id="main" tabIndex={-1}>
      <header class="view-head">
        <div class="title-row">
          <h1>{name}</h1>
          {steps.length === 0 ? null : (
            <span class={`chip ${tones[end]}`}>
              {end === 'failed' ? `${ends[end]}: ${reasonIn(steps)}` : ends[end]}
            </span>
          )}
        </div>
        <p class="view-id">
          <code>{id}</code>
          <Copy text={id} label="Copy the id of the operation" />
          {saga === undefined ? null : (
            <PlaceLink class="button plain small" place={{ view: 'actor', actor: saga.address }}>
              Its statechart
            </PlaceLink>
          )}
        </p>
        {steps.length === 0 ? null : (
          <p class="muted">
            {steps.length} steps at {actors} {actors === 1 ? 'actor' : 'actors'} in {durationText(sequence.tookMs)}.
            {data?.isComplete === false ? ' There may be more than were found.' : ''}
          </p>
        )}
      </header>
      {failure === undefined ? null : <p class="notice danger">{failure.message}</p>}
      {data !== undefined && steps.length === 0 ? (
        <>
          <Empty title="Nothing was journaled for this operation.">It is followed: what happens appears here.</Empty>
          <Namesakes id={id} />
        </>
      ) : null}
      {steps.length === 0 ? null : (
        <>
          <Panel title="Sequence" id="sequence">
            <SequenceView
              sequence={sequence}
              title={`${name}: ${steps.length} steps at ${actors} actors in ${durationText(sequence.tookMs)}`}
              choose={({ address, version }) => go({ view: 'actor', actor: address, seq: version })}
            />
            {sequence.left > 0 ? <p class="muted small">{sequence.left} more steps are in the table alone.</p> : null}
          </Panel>
          <Panel title="Steps" id="steps">
            <Steps steps={steps} />
          </Panel>
        </>
      )}
    </main>
  );
}
