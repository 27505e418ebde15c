/**
 * The chat on Redis with an archive and two nodes: `near`, whose pages are looked at, in this process, and `far`, a process
 * of its own that can be killed. Their limits are so small that history goes to the archive within seconds, and that a
 * search has to go on.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { room } from '../../../actors/chat.ts';
import { placementOf } from '../../../src/cluster/placement.ts';
import { Inspection, openJournal, shardOf, systemIds, withArchive } from '../../../src/index.ts';
import type { Overview } from '../../../src/inspect/answers.ts';
import { pagesFolder } from '../../../web/build.ts';
import { compactingLimits } from '../../cluster/compacting.ts';
import { ClusterNode } from '../../cluster/node.ts';
import { deadlineMs, poll } from '../../e2e/deadline.ts';
import { type Chat, chat, type Person } from '../../gateway/chat.ts';
import { RedisServer } from '../../redis-server.ts';
import { type InspectorPage, launch, openPage, operatorToken, type View } from './stage.ts';

const shards = 8;
const leaseMs = 3_000;
/** Events that are told at once. */
const toldAtOnce = 250;

export interface Nodes {
  readonly near: Chat;
  readonly far: ClusterNode;
  readonly browser: Browser;
  readonly anna: Person;
  readonly borys: Person;
  /** A room of both whose shard `far` owns. */
  readonly farRoom: string;
  /**
   * An id whose shard `near` owns. The nodes run the same machines as two versions (one loads them through vitest), so
   * that `near` shows an actor of `far` without a state once it has a snapshot, and finds it by none.
   */
  nearId(): string;
  /** Resolves when `far` has heard what is watched at `near`: from then on it tells. */
  heard(): Promise<void>;
  ask<T>(path: string): Promise<T>;
  /** A page of an operator at `near`. */
  open(search: string, view?: View): Promise<InspectorPage>;
  close(): Promise<void>;
}

/** Actors that one search looks at. */
export const searchedMax = 8;

async function openNear(redis: RedisServer, archive: string, inspection: Inspection): Promise<Chat> {
  const journal = await withArchive(await openJournal(redis.url, { shards }), archive);
  return chat({
    journal,
    node: 'near',
    leaseMs,
    pages: pagesFolder,
    devMode: true,
    runtimeLimits: compactingLimits,
    inspection,
  });
}

async function askAt<T>({ base }: Chat, token: string, path: string): Promise<T> {
  const response = await fetch(`${base}/inspect/api/${path}`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()) as T;
}

/** Shards that `far` owns, once every shard is where it is to be. */
function shardsOfFar(near: Chat, token: string): Promise<readonly number[]> {
  return poll(async () => {
    const view = await near.server.system.journal.cluster!.view();
    const { shards: rows } = await askAt<Overview>(near, token, 'overview');
    const isHome = view.nodes.length === 2 && rows.every(({ shard, owner }) => owner === placementOf(shard, view));
    return isHome ? rows.filter(({ owner }) => owner === 'far').map(({ shard }) => shard) : undefined;
  }, 'The nodes do not share the shards');
}

function idBeside(owned: readonly number[]): string {
  for (let tries = 0; tries < 40; tries += 1) {
    const id = systemIds.mint();
    if (!owned.includes(shardOf(id, shards))) return id;
  }
  throw new Error(`No id of forty is beside the shards ${owned.join()}.`);
}

async function heardBy(inspection: Inspection): Promise<void> {
  // A page is live a moment before its node knows what it watches.
  await poll(async () => inspection.isWatched || undefined, 'Nobody watches');
  await inspection.isHeard();
}

async function roomAmong(owned: readonly number[], anna: Person, borys: Person): Promise<string> {
  for (let tries = 0; tries < 40; tries += 1) {
    const id = await anna.room(borys);
    if (owned.includes(shardOf(id, shards))) return id;
  }
  throw new Error(`No room of forty is on the shards ${owned.join()}.`);
}

export async function openNodes(): Promise<Nodes> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-inspector-'));
  const archive = `file:${folder}`;
  const open: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const end of open.reverse()) await end();
  };
  try {
    const redis = await RedisServer.start();
    open.push(() => redis.dispose());
    const inspection = new Inspection({ searchedMax, heardMs: deadlineMs });
    const near = await openNear(redis, archive, inspection);
    open.push(() => near.server.stop());
    const environment = { ARCHIVE: archive, SHARDS: String(shards) };
    const far = ClusterNode.launch({ id: 'far', program: 'compacting', journal: redis.url, leaseMs, environment });
    open.push(() => far.kill());
    const browser = await launch();
    open.push(() => browser.close());
    await far.ready();
    const token = await operatorToken();
    const owned = await shardsOfFar(near, token);
    const anna = await near.register('anna');
    const borys = await near.register('borys');
    const farRoom = await roomAmong(owned, anna, borys);
    return {
      near,
      far,
      browser,
      anna,
      borys,
      farRoom,
      nearId: () => idBeside(owned),
      heard: () => heardBy(inspection),
      ask: (path) => askAt(near, token, path),
      open: (search, view = {}) => openPage(browser, `${near.base}/inspector${search}`, view, token),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Two steps of a room for each message, without the sagas that would write them. */
export async function writeManyMessages({ near, anna }: Nodes, roomId: string, messages: number): Promise<void> {
  const actor = near.server.system.actor(room, roomId);
  const responsible = { responsibleService: 'SAGA_SERVICE', responsibleUserId: anna.id } as const;
  for (let first = 0; first < messages; first += toldAtOnce) {
    const told: Promise<unknown>[] = [];
    for (let n = first; n < Math.min(messages, first + toldAtOnce); n += 1) {
      const operationId = systemIds.mint();
      const messageId = systemIds.mint();
      told.push(
        actor.tell({
          type: 'MESSAGE_CREATE_INITIATED',
          operationId,
          ...responsible,
          payload: {},
        }),
        actor.tell({ type: 'MESSAGE_CREATE_COMPLETED', operationId, ...responsible, payload: { messageId } }),
      );
    }
    await Promise.all(told);
  }
}
