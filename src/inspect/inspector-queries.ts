/**
 * `/inspect/api`: what an operator asks of a system, over HTTP. Every answer shows committed state, read from the journal, so
 * that it is the same at every node, whoever owns the actor's shard; what is personal is hidden. Operators alone are
 * answered, and each answer costs a bounded amount of work.
 */

import * as z from 'zod';
import { type Address, addressOf, parseAddress, typeOf } from '../actor/address.ts';
import { TroupeError } from '../errors.ts';
import { defineQuery, type Query } from '../gateway/command.ts';
import { type HttpResponse, json } from '../gateway/http.ts';
import { Refusal } from '../gateway/problem.ts';
import { rehydrate } from '../shard/cell.ts';
import type { Inspected } from '../witness.ts';
import { ActorSearch, type FoundActor, type Search } from './actor-search.ts';
import type { Actor, ActorRow, TypeRow } from './answers.ts';
import type { Inspection } from './inspection.ts';
import { actorParams, id, limit, limitDefault, none, type } from './inspector-fields.ts';
import { definitionText } from './machine-definition.ts';
import { overviewOf } from './overview.ts';
import { redactionOf } from './personal.ts';
import { travelQueries } from './travel-queries.ts';

function encodeCursor(address: string): string {
  return Buffer.from(address).toString('base64url');
}

function wrong(field: string, detail: string): Refusal {
  const errors = () => [{ field, detail }];
  return new Refusal('VALIDATION_FAILED', { status: 400, params: { fields: field }, errors });
}

function decodeCursor(after: string | undefined): string | undefined {
  if (after === undefined) return undefined;
  try {
    const address = Buffer.from(after, 'base64url').toString();
    parseAddress(address);
    return address;
  } catch {
    throw wrong('after', 'a value from a Link header');
  }
}

/** An actor's type that somebody may be looked for by. Throws a `Refusal`. */
function known({ hosted }: Inspected, name: string): string {
  if (hosted.has(name)) return name;
  throw wrong('type', [...hosted.keys()].join(', '));
}

function overview(inspection: Inspection): Query {
  return defineQuery({
    path: '/inspect/api/overview',
    params: none,
    query: none,
    async answer() {
      return json(200, await overviewOf(inspection.system, inspection.limits.deadLettersMax));
    },
  });
}

function types(inspection: Inspection): Query {
  return defineQuery({
    path: '/inspect/api/types',
    params: none,
    query: none,
    async answer() {
      const hosted = [...inspection.system.hosted.values()];
      return json(
        200,
        hosted.map(
          (host): TypeRow => ({
            type: host.definition.type,
            definition: JSON.parse(definitionText(host)) as unknown,
            version: host.hash,
            ends: host.definition.retire !== undefined,
          }),
        ),
      );
    },
  });
}

function listed({ isResident }: Inspected, search: ActorSearch, found: FoundActor): ActorRow {
  const { address, version, state } = found;
  return {
    address,
    value: state?.value ?? null,
    status: state?.status ?? 'unreadable',
    version,
    isResident: isResident(search.shardOf(address) ?? -1, address) ?? null,
  };
}

function actors(inspection: Inspection): Query {
  return defineQuery({
    path: '/inspect/api/actors',
    params: none,
    query: z.object({
      type: type.optional(),
      state: z.string().min(1).max(200).optional(),
      id: z
        .string()
        .regex(/^[0-9a-f-]{1,36}$/)
        .optional(),
      operation: id.optional(),
      after: z.string().max(400).optional(),
      limit: limit.optional(),
    }),
    async answer({ query, path }) {
      const { system, limits } = inspection;
      const found = new ActorSearch(system.journal, system.hosted, limits.searchedMax);
      const search: Search = {
        types: query.type === undefined ? [...system.hosted.keys()] : [known(system, query.type)],
        ...(query.id === undefined ? {} : { id: query.id }),
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.operation === undefined ? {} : { among: await inspection.actorsOf(query.operation) }),
      };
      const page = await found.find(search, decodeCursor(query.after), query.limit ?? limitDefault);
      const items = page.actors.map((actor) => listed(system, found, actor));
      return json(200, items, page.next === undefined ? {} : { link: nextLink(path, query, page.next) });
    },
  });
}

function nextLink(path: string, query: Readonly<Record<string, string | number | undefined>>, next: string): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, after: encodeCursor(next) })) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return `<${path}?${parameters}>; rel="next"`;
}

function actor(inspection: Inspection): Query {
  return defineQuery({
    path: '/inspect/api/actors/{type}/{id}',
    params: actorParams,
    query: none,
    async answer({ params }) {
      return actorAt(inspection.system, addressOf(params.type, params.id));
    },
  });
}

/** Folded from its whole history if need be: it is one actor. */
async function actorAt(system: Inspected, address: Address): Promise<HttpResponse> {
  const { journal, hosted, isResident } = system;
  const host = hosted.get(typeOf(address));
  const shard = new ActorSearch(journal, hosted, 1).shardOf(address);
  if (host === undefined || shard === undefined) throw new Refusal('NOT_FOUND');
  const [record] = await journal.readActors(shard, [address]);
  if (record === undefined) throw new Refusal('NOT_FOUND');
  if (record instanceof Error) throw new TroupeError('ACTOR_DAMAGED', record.message, { actor: address }, record);
  const { state, version, retired } = await rehydrate(journal, shard, host, address, record);
  const { value, status, context, output } = state;
  const found: Actor = {
    address,
    type: host.definition.type,
    version,
    value,
    status,
    ...redactionOf(host.definition)({ context: context as unknown, output: output as unknown }),
    ...(retired === undefined ? {} : { retired }),
    isResident: isResident(shard, address) ?? null,
    shard,
    owner: await ownerOf(system, shard),
  };
  return json(200, found);
}

async function ownerOf({ node, journal, standings }: Inspected, shard: number): Promise<string | null> {
  if (standings()[shard]?.owned === true) return node;
  const [status] = (await journal.cluster?.statuses([shard])) ?? [];
  return status !== undefined && status.expiresInMs > 0 && status.node !== '' ? status.node : null;
}

export function inspectorQueries(inspection: Inspection): readonly Query[] {
  const queries = [
    overview(inspection),
    types(inspection),
    actors(inspection),
    actor(inspection),
    ...travelQueries(inspection),
  ];
  return queries.map((query) => ({ ...query, isForAdmins: true }));
}
