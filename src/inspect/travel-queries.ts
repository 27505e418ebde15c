/**
 * `/inspect/api`, the past: an actor's steps, what its machine would do with an event at one of its versions (a fork that
 * changes nothing, although it is asked by POST), and everything that an operation has done. For operators alone.
 */

import * as z from 'zod';
import { addressOf } from '../actor/address.ts';
import { type ErrorCode, TroupeError } from '../errors.ts';
import { defineQuery, defineQuestion, type Query } from '../gateway/command.ts';
import { json } from '../gateway/http.ts';
import { Refusal } from '../gateway/problem.ts';
import type { Inspection } from './inspection.ts';
import { actorParams, id, limit, limitDefault, none } from './inspector-fields.ts';

const version = z.number().int().min(0);
const versionText = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

/** What is wrong with a question, by the code that time travel gives. */
const wrongFields: Partial<Record<ErrorCode, string>> = { EVENT_REFUSED: 'event', VERSION_UNKNOWN: 'version' };

/** As what it is given, with refusals for what a caller can mend. */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof TroupeError)) throw error;
    const { code, message } = error;
    const field = wrongFields[code];
    if (field !== undefined) {
      const errors = () => [{ field, detail: message }];
      throw new Refusal('VALIDATION_FAILED', { status: 422, params: { fields: field }, errors, cause: error });
    }
    if (code === 'ACTOR_TYPE_UNKNOWN' || code === 'ADDRESS_INVALID') throw new Refusal('NOT_FOUND', { cause: error });
    if (code === 'LIMIT_EXCEEDED') throw new Refusal('OVERLOADED', { cause: error });
    throw error;
  }
}

function steps(inspection: Inspection): Query {
  return defineQuery({
    path: '/inspect/api/actors/{type}/{id}/steps',
    params: actorParams,
    query: z.object({ after: versionText.optional(), limit: limit.optional() }),
    async answer({ params, query }) {
      const part = { limit: query.limit ?? limitDefault, ...(query.after === undefined ? {} : { after: query.after }) };
      return json(200, await answered(inspection.travel.steps(addressOf(params.type, params.id), part)));
    },
  });
}

function attempt(inspection: Inspection): Query {
  return defineQuestion({
    path: '/inspect/api/actors/{type}/{id}/attempt',
    params: actorParams,
    body: z.object({ version, event: z.looseObject({ type: z.string().min(1).max(200) }) }),
    async answer({ params, body }) {
      const address = addressOf(params.type, params.id);
      return json(200, await answered(inspection.travel.attempt(address, body.version, body.event)));
    },
  });
}

function operation(inspection: Inspection): Query {
  return defineQuery({
    path: '/inspect/api/operations/{operationId}',
    params: z.object({ operationId: id }),
    query: none,
    async answer({ params }) {
      return json(200, await answered(inspection.travel.operation(params.operationId)));
    },
  });
}

export function travelQueries(inspection: Inspection): readonly Query[] {
  return [steps(inspection), attempt(inspection), operation(inspection)];
}
