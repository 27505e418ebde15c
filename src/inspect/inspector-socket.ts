/**
 * `/inspect/ws`: an operator's socket, JSON text frames, which are the wire events of @statelyai/inspect. What it chooses
 * is in its URL. It is told of what there is already (a bounded number of actors), then shown each step; nothing that it
 * sends is read.
 */

import type { Address } from '../actor/address.ts';
import { typeOf } from '../actor/address.ts';
import { messageOf } from '../errors.ts';
import { adminOf } from '../gateway/authentication.ts';
import type { OpenedSocket, SignedIn, SocketRoute } from '../gateway/socket-session.ts';
import { ActorSearch } from './actor-search.ts';
import { type Choice, choiceOf } from './choice.ts';
import type { Inspection } from './inspection.ts';
import { stateText } from './sighting.ts';
import type { Watcher } from './watcher.ts';

const noHistory = { epoch: '', head: 0, recovered: true, publications: [] };

export function inspectorSocket(inspection: Inspection): SocketRoute {
  return {
    path: '/inspect/ws',
    history: { read: () => Promise.resolve(noHistory), delivery: () => ({ frames: [] }) },
    admit: (_params, query) => void choiceOf(query),
    open({ connection, claims, query }: OpenedSocket): SignedIn {
      adminOf(claims);
      const choice = choiceOf(query);
      const { log } = inspection.system;
      const watcher = inspection.watch(choice, connection);
      introduce(inspection, choice, watcher).catch((error: unknown) => {
        log.warn({}, `a watcher could not be told what there is: ${messageOf(error)}`);
      });
      return {
        ready: Promise.resolve(),
        message: () => undefined,
        closed: () => inspection.leave(watcher),
      };
    },
  };
}

/** Tells a watcher of the actors that there are. Of an operation's, it hears when they do something. */
async function introduce(inspection: Inspection, choice: Choice, watcher: Watcher): Promise<void> {
  const { journal, hosted } = inspection.system;
  const { introducedMax, searchedMax } = inspection.limits;
  await inspection.isHeard();
  if (choice.operations.length > 0 && choice.actors.length === 0) return;
  const types = [...hosted.keys()].filter((type) => choice.types.length === 0 || choice.types.includes(type));
  const among = (choice.actors as readonly Address[]).filter((actor) => types.includes(typeOf(actor)));
  const search = { types, ...(choice.actors.length === 0 ? {} : { among }) };
  const { actors } = await new ActorSearch(journal, hosted, searchedMax).find(search, undefined, introducedMax);
  for (const { address, hosted: host, state } of actors) {
    if (state !== undefined) watcher.introduce(address, stateText(host, state));
  }
}
