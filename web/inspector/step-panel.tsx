/** The event of a step: from whom, in which operation, what it caused, and what was in it. */

import type { HistoryStep } from '../../src/inspect/answers.ts';
import { Address, Empty, Json, OperationLink, Panel, StateChip, Time } from './words.tsx';

export function StepPanel({
  step,
  version,
  isLacking,
}: {
  readonly step: HistoryStep | undefined;
  readonly version: number;
  /** It cannot be read. */
  readonly isLacking: boolean;
}) {
  if (step === undefined) {
    const why = isLacking ? 'This step cannot be seen.' : 'Reading this step…';
    return (
      <Panel title="Event" id="event" class="step">
        <Empty title={version === 0 ? 'Before its first event.' : why} />
      </Panel>
    );
  }
  const { event, from, operation, at, effects, value, shardSeq } = step;
  return (
    <Panel title="Event" id="event" class="step" actions={<Time at={at} />}>
      <p class="event-name">{event.type}</p>
      <dl class="facts">
        <dt>Then</dt>
        <dd>
          <StateChip value={value} />
        </dd>
        <dt>From</dt>
        <dd>{from === undefined ? <span class="muted">outside, or a timer</span> : <Address address={from} />}</dd>
        <dt>Operation</dt>
        <dd>{operation === undefined ? <span class="muted">none</span> : <OperationLink id={operation} />}</dd>
        <dt>Effects</dt>
        <dd class="effects">
          {effects.length === 0 ? <span class="muted">none</span> : null}
          {effects.map(({ type }, i) => (
            <span class="tag" key={i}>
              {type}
            </span>
          ))}
        </dd>
        <dt>Journal</dt>
        <dd>entry {shardSeq} of its shard</dd>
      </dl>
      <details class="payload">
        <summary>Fields of the event</summary>
        <Json value={event} label="Event" />
      </details>
    </Panel>
  );
}
