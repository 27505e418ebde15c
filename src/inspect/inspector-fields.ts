/** The fields of `/inspect/api`, as schemas: types, ids and paging. */

import * as z from 'zod';
import { isActorType, isUuid } from '../actor/address.ts';

export const none = z.object({});

export const limitDefault = 50;
const limitMax = 200;

/** A number in a query, from 1 to 200. */
export const limit = z
  .string()
  .regex(/^[1-9]\d{0,2}$/)
  .transform(Number)
  .refine((value) => value <= limitMax, { error: `a whole number from 1 to ${limitMax}` });

export const type = z.string().refine(isActorType, { error: 'an actor type' });
export const id = z.string().refine(isUuid, { error: 'a UUID in lower case, with dashes' });
export const actorParams = z.object({ type, id });
