/** The sequence diagram of an operation: lanes, arrows and times. The table below it says the same in words. */

import { durationText } from './clock-words.ts';
import { type Arrow, type Lane, measures, type Sequence, shortLabel } from './sequence.ts';

function LaneHead({
  lane,
  height,
  laneWidth,
}: {
  readonly lane: Lane;
  readonly height: number;
  readonly laneWidth: number;
}) {
  const { x, type, shortId, shard } = lane;
  const width = laneWidth - (laneWidth > 160 ? 24 : 8);
  const isClient = lane.address === 'client';
  return (
    <g class={`lane ${isClient ? 'is-client' : ''}`}>
      <line class="lane-line" x1={x} y1={measures.head - 12} x2={x} y2={height - measures.foot + 8} />
      <rect class="lane-box" x={x - width / 2} y={8} width={width} height={measures.head - 20} rx={10} />
      <text class="lane-type" x={x} y={isClient ? 38 : 29} text-anchor="middle">
        {shortLabel(type, Math.floor(width / 8))}
      </text>
      {isClient ? null : (
        <text class="lane-id" x={x} y={46} text-anchor="middle">
          {laneWidth > 160 && shard !== undefined ? `${shortId} · shard ${shard}` : shortId}
        </text>
      )}
    </g>
  );
}

function arrowPath({ fromX, toX, y, isOwn }: Arrow): string {
  if (isOwn) return `M${fromX} ${y - 12} h34 v12 h-28`;
  return `M${fromX} ${y} H${toX > fromX ? toX - 5 : toX + 5}`;
}

function headPath({ fromX, toX, y, isOwn }: Arrow): string {
  const left = isOwn || toX < fromX;
  const tip = isOwn ? fromX + 2 : left ? toX + 1 : toX - 1;
  const back = left ? tip + 8 : tip - 8;
  return `M${tip} ${y} L${back} ${y - 4.5} L${back} ${y + 4.5} Z`;
}

function Step({
  arrow,
  laneWidth,
  choose,
}: {
  readonly arrow: Arrow;
  readonly laneWidth: number;
  readonly choose: (arrow: Arrow) => void;
}) {
  const { fromX, toX, y, label, code, isOwn, sinceMs, gapMs, tone } = arrow;
  const max = Math.max(16, Math.round((Math.abs(toX - fromX) || laneWidth) / 7.4));
  const middle = isOwn ? fromX + 42 : (fromX + toX) / 2;
  return (
    // The table has the same links for the keyboard.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above.
    <g class={`arrow ${tone}`} onClick={() => choose(arrow)}>
      <title>{`${label}${code === undefined ? '' : ` (${code})`} at ${arrow.address}, version ${arrow.version}`}</title>
      <rect class="arrow-row" x={0} y={y - 28} width="100%" height={measures.row} />
      <text class="arrow-time" x={measures.margin - 10} y={y + 4} text-anchor="end">
        {durationText(sinceMs)}
      </text>
      {gapMs >= 5 ? (
        <text class="arrow-gap" x={measures.margin - 10} y={y - 14} text-anchor="end">
          +{durationText(gapMs)}
        </text>
      ) : null}
      <path class="arrow-line" d={arrowPath(arrow)} />
      <path class="arrow-head" d={headPath(arrow)} />
      <text class="arrow-label" x={middle} y={isOwn ? y - 2 : y - 8} text-anchor={isOwn ? 'start' : 'middle'}>
        {shortLabel(label, max)}
      </text>
      {code === undefined ? null : (
        <text class="arrow-code" x={middle} y={isOwn ? y + 12 : y + 14} text-anchor={isOwn ? 'start' : 'middle'}>
          {shortLabel(code, max)}
        </text>
      )}
    </g>
  );
}

export function SequenceView({
  sequence,
  title,
  choose,
}: {
  readonly sequence: Sequence;
  readonly title: string;
  readonly choose: (arrow: Arrow) => void;
}) {
  const { lanes, arrows, width, height, laneWidth } = sequence;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section class="sequence" tabIndex={0} aria-label="Sequence diagram">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
        {lanes.map((lane) => (
          <LaneHead key={lane.address} lane={lane} height={height} laneWidth={laneWidth} />
        ))}
        {arrows.map((arrow) => (
          <Step key={`${arrow.address} ${arrow.version}`} arrow={arrow} laneWidth={laneWidth} choose={choose} />
        ))}
      </svg>
    </section>
  );
}
