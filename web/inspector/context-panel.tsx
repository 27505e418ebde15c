/** The context at a step: what the step changed, or all of it. */

import { useMemo, useState } from 'preact/hooks';
import { type Change, changesMax, differenceOf } from './context-diff.ts';
import { Empty, Json, Panel } from './words.tsx';

/** Longer values are shown over several lines, the first of them at once. */
const lineMax = 56;
const linesMax = 10;

function Value({ value }: { readonly value: unknown }) {
  const line = JSON.stringify(value) ?? 'undefined';
  if (line.length <= lineMax || typeof value !== 'object') return <>{line}</>;
  const lines = JSON.stringify(value, undefined, 2).split('\n');
  const first = lines.slice(0, linesMax).join('\n');
  if (lines.length <= linesMax) return <span class="change-block">{first}</span>;
  return (
    <>
      <span class="change-block">{first}</span>
      <details>
        <summary>{lines.length - linesMax} more lines</summary>
        <span class="change-block">{lines.slice(linesMax).join('\n')}</span>
      </details>
    </>
  );
}

const signs = { added: '+', removed: '−', changed: '±' } as const;

function Row({ change }: { readonly change: Change }) {
  return (
    <li class={`change ${change.kind}`}>
      <span class="change-sign" role="img" aria-label={change.kind}>
        {signs[change.kind]}
      </span>
      <span class="change-path">{change.path || 'context'}</span>
      <span class="change-values">
        {change.kind === 'added' ? null : (
          <del>
            <Value value={change.before} />
          </del>
        )}
        {change.kind === 'changed' ? <span aria-hidden="true"> → </span> : null}
        {change.kind === 'removed' ? null : (
          <ins>
            <Value value={change.after} />
          </ins>
        )}
      </span>
    </li>
  );
}

export function Changes({ before, after }: { readonly before: unknown; readonly after: unknown }) {
  const { changes, isCut } = useMemo(() => differenceOf(before, after), [before, after]);
  if (changes.length === 0) return <Empty title="The context stays as it was." />;
  return (
    <>
      <ul class="changes">
        {changes.map((change) => (
          <Row key={change.path} change={change} />
        ))}
      </ul>
      {isCut ? <p class="muted small">These are the first {changesMax}; there are more.</p> : null}
    </>
  );
}

export function ContextPanel({
  before,
  after,
  version,
}: {
  readonly before: unknown;
  readonly after: unknown;
  readonly version: number;
}) {
  const [isWhole, setWhole] = useState(false);
  const choose = (
    <fieldset class="segments" aria-label="Show the context as">
      <button type="button" aria-pressed={!isWhole} onClick={() => setWhole(false)}>
        Changes
      </button>
      <button type="button" aria-pressed={isWhole} onClick={() => setWhole(true)}>
        Whole
      </button>
    </fieldset>
  );
  const nothing = <Empty title="There is no context before the first event." />;
  const shown = isWhole ? <Json value={after} label="Context" /> : <Changes before={before} after={after} />;
  return (
    <Panel title="Context" id="context" actions={choose} class="context">
      {version === 0 && after === undefined ? nothing : shown}
    </Panel>
  );
}
