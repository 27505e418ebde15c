/**
 * The log of what is live: it can be filtered, paused and emptied, and each line leads to its step; one that was refused
 * leads to the state that was against it, where it is tried again on a copy and the guards are named.
 */

import { useSelector } from '@xstate/store-preact';
import { useMemo, useState } from 'preact/hooks';
import { useDesk } from './desk.ts';
import { type LogLine, linesMax, shownLines, waitingIn } from './event-log.ts';
import { Address, Empty, OperationLink, Panel, PlaceLink, StateChip, Time } from './words.tsx';

/** Lines in the document at once; the newest ones. */
const rowsMax = 120;

function Row({ line, hasActor }: { readonly line: LogLine; readonly hasActor: boolean }) {
  const { at, address, event, value, version, operation, isRefused } = line;
  const name = (
    <PlaceLink class="event-type" place={{ view: 'actor', actor: address, seq: version }}>
      {event.type}
    </PlaceLink>
  );
  return (
    <tr class={isRefused === true ? 'refused' : ''}>
      <td>
        <Time at={at} />
      </td>
      {hasActor ? (
        <td>
          <Address address={address} />
        </td>
      ) : null}
      <td>{name}</td>
      <td>
        {isRefused === true ? (
          <>
            <span class="chip bad">refused</span>{' '}
            <PlaceLink class="why" place={{ view: 'actor', actor: address, seq: version, tried: event }}>
              why?
            </PlaceLink>{' '}
          </>
        ) : null}
        {value === undefined ? null : <StateChip value={value} />}
      </td>
      <td>{operation === undefined ? null : <OperationLink id={operation} />}</td>
    </tr>
  );
}

export function LogPanel({ title, of, hint }: { readonly title: string; readonly of?: string; readonly hint: string }) {
  const { inspection } = useDesk();
  const log = useSelector(inspection, ({ context }) => context.log);
  const skipped = useSelector(inspection, ({ context }) => context.skipped);
  const [filter, setFilter] = useState('');
  const lines = useMemo(() => {
    const shown = shownLines(log, filter);
    return (of === undefined ? shown : shown.filter(({ address }) => address === of)).slice(-rowsMax).reverse();
  }, [log, filter, of]);
  const isPaused = log.pausedAt !== undefined;
  const waiting = waitingIn(log);
  const actions = (
    <div class="log-actions">
      <input
        class="input small log-filter"
        type="search"
        aria-label="Filter the log"
        placeholder="Filter"
        value={filter}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <button
        type="button"
        class="button small"
        aria-pressed={isPaused}
        onClick={() => (isPaused ? inspection.trigger.resume() : inspection.trigger.pause())}
      >
        {isPaused ? `Resume${waiting > 0 ? ` (${waiting})` : ''}` : 'Pause'}
      </button>
      <button type="button" class="button small" onClick={() => inspection.trigger.clear()}>
        Clear
      </button>
    </div>
  );
  return (
    <Panel title={title} id="log" actions={actions} class="log">
      {lines.length === 0 ? (
        <Empty title={filter === '' ? 'Nothing has happened since you came.' : 'No event matches the filter.'}>
          {hint}
        </Empty>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
        <section class="scroll" tabIndex={0} aria-label={title}>
          <table class="table lines">
            <thead>
              <tr>
                <th scope="col">Time</th>
                {of === undefined ? <th scope="col">Actor</th> : null}
                <th scope="col">Event</th>
                <th scope="col">Then</th>
                <th scope="col">Operation</th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <Row key={line.number} line={line} hasActor={of === undefined} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {skipped > 0 || log.arrived > linesMax ? (
        <p class="muted small">
          {log.arrived} events came; the newest {linesMax} are kept
          {skipped > 0 ? ` and ${skipped} were too many to show` : ''}.
        </p>
      ) : null}
    </Panel>
  );
}
