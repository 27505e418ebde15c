/**
 * What must hold when a load has ended, whatever happened to its nodes: every operation is COMPLETED or ERROR and stays
 * it, rooms and messages are those of the completed operations and each is there once, everybody sees a room's messages
 * in one order through every node, no saga is open, and views and snapshots agree with the journal.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { chatActors } from '../../actors/chat.ts';
import type { MessageDto } from '../../actors/contract.ts';
import { sagaNames } from '../../actors/contract.ts';
import { JournalReader, openJournal } from '../../src/index.ts';
import { auditOperations, auditRooms, forEach } from '../crash/audit.ts';
import { verifyStore } from './cluster.ts';
import type { Load } from './load.ts';

const actorsMax = 100_000;
/** Of one room, compared through every node. */
const pageMax = 200;

/** Reads every room as each of its members through each node. */
export async function auditOrder(load: Load): Promise<void> {
  const created = load.ledger.completed('ROOM_CREATE');
  await forEach(created, async ({ outcome }) => {
    const roomId = outcome?.result?.id ?? '';
    const path = `/v1/rooms/${roomId}/messages?limit=${pageMax}`;
    let first: { readonly who: string; readonly order: string } | undefined;
    for (const client of load.clients) {
      if (!load.world.roomsOf(client.account.id).some(({ id }) => id === roomId)) continue;
      for (const door of load.options.doors()) {
        const { body } = await client.getThrough<readonly MessageDto[]>(door, path);
        const seen = { who: `${client.account.email} through ${door.id}`, order: body.map(({ id }) => id).join(' ') };
        first ??= seen;
        if (seen.order === first.order) continue;
        load.ledger.violation(
          undefined,
          `room ${roomId} is ${first.order} for ${first.who}, and ${seen.order} for ${seen.who}`,
        );
      }
    }
  });
}

interface SagaContext {
  readonly result: unknown;
  readonly error: unknown;
}

/** Looks at all sagas of the store, also at those nobody knows of, and gives what is wrong with them. */
async function wrongSagas(load: Load, journalUrl: string): Promise<readonly string[]> {
  const journal = await openJournal(journalUrl);
  const wrong: string[] = [];
  try {
    const reader = new JournalReader(journal, chatActors);
    const known = new Set(load.ledger.entries.map(({ operationId }) => operationId));
    for (const type of sagaNames) {
      const sagas = await reader.actors({ type, limit: actorsMax });
      await forEach(sagas, async ({ actor }) => {
        const saga = await reader.actor(actor);
        const ended = saga?.context as SagaContext | undefined;
        if (ended === undefined || (ended.result === null && ended.error === null)) {
          wrong.push(`${actor} has not ended: ${JSON.stringify(saga?.value)}`);
        }
        if (!known.has(actor.slice(type.length + 1))) wrong.push(`${actor} is there, and nobody knows of it`);
      });
    }
  } finally {
    await journal.close();
  }
  return wrong;
}

const looksMax = 3;

/** A store that has just failed over may end a connection once more: then it is looked at again. */
async function seen<T>(look: () => Promise<T>, textOf: (found: T | Error) => string): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const found = await look().catch((error: Error) => error);
    const isLost = textOf(found).includes('The connection to Redis was lost');
    if (attempt < looksMax && isLost) await pause(1_000);
    else if (found instanceof Error) throw found;
    else return found;
  }
}

/** Asks for what is not known yet, looks at everything, and gives what is wrong. */
export async function auditLoad(load: Load, journalUrl: string, archive?: string): Promise<readonly string[]> {
  for (const entry of load.unanswered) {
    await load.clientOf(entry.who.email).insist(entry);
    load.world.learn(entry);
  }
  const { ledger, clientOf } = load;
  await auditOperations({ ledger, clientOf });
  await auditRooms({ ledger, clientOf });
  await auditOrder(load);
  // With an archive it would fold every saga from all that ever happened; its test looks at the histories instead.
  if (archive === undefined) {
    const wrong = await seen(() => wrongSagas(load, journalUrl), String);
    for (const one of wrong) ledger.violation(undefined, one);
  }
  const verify = () => verifyStore(journalUrl, archive);
  const { code, output } = await seen(verify, (found) => (found instanceof Error ? String(found) : found.output));
  if (code !== 0 || !output.includes('everything agrees with the journal')) {
    ledger.violation(undefined, `troupe verify ended with ${code}: ${output}`);
  }
  return ledger.violations;
}
