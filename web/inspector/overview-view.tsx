/** The overview: nodes, shards and dead letters at a glance, and the log of everything that happens. */

import { useSelector } from '@xstate/store-preact';
import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { DeadLetterRow, NodeRow, Overview, ShardRow } from '../../src/inspect/answers.ts';
import { durationText } from './clock-words.ts';
import { useDesk } from './desk.ts';
import { useLoaded, useRefresh } from './loading.ts';
import { LogPanel } from './log-panel.tsx';
import { isAddress } from './place.ts';
import { calledAgain, type GoneNode, type RollCall } from './roll-call.ts';
import { Address, Empty, inlineJson, Panel, PlaceLink, Time } from './words.tsx';

function Tile({
  label,
  value,
  note,
  tone = 'plain',
}: {
  readonly label: string;
  readonly value: string;
  readonly note: ComponentChildren;
  readonly tone?: string;
}) {
  return (
    <div class={`tile ${tone}`}>
      <dt>{label}</dt>
      <dd>
        <span class="tile-value">{value}</span>
        <span class="tile-note">{note}</span>
      </dd>
    </div>
  );
}

const count = new Intl.NumberFormat('en');

function Tiles({ overview, gone }: { readonly overview: Overview; readonly gone: readonly GoneNode[] }) {
  const { nodes, shards, deadLetters } = overview;
  const orphans = shards.filter(({ owner }) => owner === null).length;
  const entries = shards.reduce((sum, { seq }) => sum + seq, 0);
  const commits = shards.reduce((sum, shard) => sum + shard.commits, 0);
  const resident = shards.reduce((sum, shard) => sum + (shard.resident ?? 0), 0);
  const waiting = shards.reduce((sum, { mailbox = 0, inboxLag }) => sum + mailbox + inboxLag, 0);
  const draining = nodes.filter(({ isDraining }) => isDraining).length;
  const letters = `${count.format(deadLetters.total)}${deadLetters.isMore ? '+' : ''}`;
  const alive = draining > 0 ? `${draining} draining` : 'alive';
  return (
    <dl class="tiles">
      <Tile
        label="Nodes"
        value={count.format(nodes.length)}
        note={gone.length > 0 ? `${alive}, ${gone.length} gone` : alive}
        tone={gone.length > 0 ? 'bad' : 'plain'}
      />
      <Tile
        label="Shards"
        value={count.format(shards.length)}
        note={orphans > 0 ? `${orphans} without owner` : 'all owned'}
        tone={orphans > 0 ? 'bad' : 'plain'}
      />
      <Tile label="Journal" value={count.format(entries)} note={`events in ${count.format(commits)} commits`} />
      <Tile label="In memory here" value={count.format(resident)} note="actors" />
      <Tile label="Waiting" value={count.format(waiting)} note="envelopes" />
      <Tile
        label="Dead letters"
        value={letters}
        note={deadLetters.total > 0 ? <a href="#letters">read them</a> : 'none'}
        tone={deadLetters.total > 0 ? 'bad' : 'plain'}
      />
    </dl>
  );
}

function Nodes({ roll, shards }: { readonly roll: RollCall; readonly shards: readonly ShardRow[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section class="scroll" tabIndex={0} aria-label="Nodes">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Role</th>
            <th scope="col" class="number">
              Shards
            </th>
            <th scope="col">At</th>
            <th scope="col" class="number">
              Lease
            </th>
          </tr>
        </thead>
        <tbody>
          {roll.present.map(({ id, role, isDraining, expiresInMs, about }, i) => (
            <tr key={id}>
              <td>
                <span class={`swatch owner-${i % 6}`} aria-hidden="true" /> {id}
              </td>
              <td>
                {role} {isDraining ? <span class="chip bad">draining</span> : null}
              </td>
              <td class="number">{shards.filter(({ owner }) => owner === id).length}</td>
              <td>{about || '–'}</td>
              <td class="number">{expiresInMs === null ? 'only one' : durationText(expiresInMs)}</td>
            </tr>
          ))}
          {roll.gone.map(({ node: { id, role, about }, at }) => (
            <tr key={id} class="gone">
              <td>
                <span class="swatch owner-none" aria-hidden="true" /> {id}
              </td>
              <td>
                {role} <span class="chip bad">gone</span>
              </td>
              <td class="number">{shards.filter(({ owner }) => owner === id).length}</td>
              <td>{about || '–'}</td>
              <td class="number">
                since <Time at={at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function factsOf({ shard, owner, epoch, seq, commits, inboxLag, mailbox = 0, resident }: ShardRow): string {
  const waits = mailbox + inboxLag;
  return [
    `Shard ${shard}`,
    owner === null ? 'no owner' : `owner ${owner}`,
    `epoch ${epoch}`,
    `${count.format(seq)} events in ${count.format(commits)} commits`,
    ...(resident === undefined ? [] : [`${resident} in memory`]),
    ...(waits > 0 ? [`${waits} waiting`] : []),
  ].join(', ');
}

const shardKeys: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowLeft: (at) => Math.max(0, at - 1),
  ArrowRight: (at, last) => Math.min(last, at + 1),
  Home: () => 0,
  End: (_, last) => last,
};

/**
 * One cell a shard: who owns it by colour, how much it has journaled by a bar, what waits by a mark; all of it in words
 * when it is pointed at. One stop of the keyboard, with arrows from shard to shard.
 */
function Shards({ shards, nodes }: { readonly shards: readonly ShardRow[]; readonly nodes: readonly NodeRow[] }) {
  const most = Math.max(1, ...shards.map(({ seq }) => seq));
  const ownerTone = new Map(nodes.map(({ id }, i) => [id, i % 6]));
  const [chosen, setChosen] = useState<number>();
  const cells = useRef<HTMLUListElement>(null);
  const move = (event: KeyboardEvent): void => {
    const to = shardKeys[event.key]?.(chosen ?? 0, shards.length - 1);
    if (to === undefined) return;
    event.preventDefault();
    cells.current?.querySelectorAll('button')[to]?.focus();
  };
  const facts = chosen === undefined ? undefined : shards[chosen];
  return (
    <>
      <ul class="shards" ref={cells}>
        {shards.map((row, i) => {
          const { shard, owner, seq, inboxLag, mailbox = 0 } = row;
          const tone = owner === null ? 'owner-none' : `owner-${ownerTone.get(owner) ?? 'else'}`;
          return (
            <li key={shard}>
              <button
                type="button"
                class={`shard ${tone} ${mailbox + inboxLag > 0 ? 'is-waiting' : ''}`}
                aria-label={factsOf(row)}
                tabIndex={i === (chosen ?? 0) ? 0 : -1}
                onFocus={() => setChosen(i)}
                onMouseEnter={() => setChosen(i)}
                onKeyDown={move}
              >
                <span class="shard-number">{shard}</span>
                <svg class="shard-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                  <rect x={0} y={0} width={Math.round((seq / most) * 100)} height={4} />
                </svg>
              </button>
            </li>
          );
        })}
      </ul>
      <p class="shard-facts muted small">
        {facts === undefined
          ? 'Coloured by owner, dashed without one; the bar is what was journaled, a ring means that envelopes wait.'
          : `${factsOf(facts)}.`}
      </p>
    </>
  );
}

/** How many there are of each code, the most first. */
function codesOf(letters: readonly DeadLetterRow[]): readonly (readonly [string, number])[] {
  const codes = new Map<string, number>();
  for (const { code } of letters) codes.set(code, (codes.get(code) ?? 0) + 1);
  return [...codes].sort(([, a], [, b]) => b - a);
}

function DeadLetters({ letters, total }: { readonly letters: readonly DeadLetterRow[]; readonly total: number }) {
  if (letters.length === 0) return <Empty title="No dead letters.">Every envelope could be handled.</Empty>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section class="letters" tabIndex={0} aria-label="Dead letters">
      <p class="letter-codes muted small">
        {codesOf(letters)
          .map(([code, times]) => `${times} ${code}`)
          .join(', ')}
        {letters.length < total ? `, the newest of ${count.format(total)}` : ''}
      </p>
      <ul>
        {letters.map(({ address, shard, code, reason, at, event }, i) => (
          <li key={i} class="letter">
            <p class="letter-head">
              <span class="chip bad">{code}</span>
              {isAddress(address) ? <Address address={address} /> : <code>{address}</code>}
              <span class="muted small">shard {shard}</span>
              <Time at={at} />
            </p>
            <p>{reason}</p>
            <p class="muted small">
              <code>{inlineJson(event)}</code>
            </p>
            {isAddress(address) ? (
              <PlaceLink class="why" place={{ view: 'actor', actor: address, tried: event }}>
                Try it on a copy
              </PlaceLink>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What was seen of the nodes since the page was opened. */
function useRollCall(nodes: readonly NodeRow[] | undefined): RollCall | undefined {
  const { roll } = useDesk();
  return useMemo(() => {
    if (nodes !== undefined) roll.current = calledAgain(roll.current, nodes, Date.now());
    return roll.current;
  }, [nodes, roll]);
}

export function OverviewView() {
  const { api, inspection } = useDesk();
  const { data, failure, reload } = useLoaded('overview', () => api.overview());
  const connection = useSelector(inspection, ({ context }) => context.connection);
  useRefresh(reload, connection === 'live');
  const roll = useRollCall(data?.nodes);
  return (
    <main class="view overview" id="main" tabIndex={-1}>
      <h1 class="visually-hidden">Overview</h1>
      {failure === undefined ? null : <p class="notice danger">{failure.message}</p>}
      {data === undefined || roll === undefined ? (
        failure === undefined ? (
          <p class="muted">Reading…</p>
        ) : null
      ) : (
        <>
          <Tiles overview={data} gone={roll.gone} />
          <div class="columns">
            <div class="column">
              <Panel title="Nodes" id="nodes">
                <Nodes roll={roll} shards={data.shards} />
              </Panel>
              <Panel title="Shards" id="shards">
                <Shards shards={data.shards} nodes={data.nodes} />
              </Panel>
            </div>
            <Panel title="Dead letters" id="letters">
              <DeadLetters letters={data.deadLetters.recent} total={data.deadLetters.total} />
            </Panel>
          </div>
        </>
      )}
      <LogPanel
        title="What happens"
        hint="Every event of every actor appears here as it is journaled, and those that are refused."
      />
    </main>
  );
}
