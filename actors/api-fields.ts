/** The fields of calls, as schemas: ids, texts, enumerations and paging. */

import * as z from 'zod';

export const id = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, {
  error: 'a UUID in lower case, with dashes',
});

/** 1 to `max` characters, which are code points: an emoji is one, as people count. */
export function text(max: number): z.ZodType<string, string> {
  return z
    .string()
    .min(1)
    .superRefine((value, context) => {
      // A lone half of a surrogate pair has no UTF-8: the journal would give back another text than was accepted.
      if (/\p{Surrogate}/u.test(value)) context.addIssue({ code: 'custom', message: 'well-formed Unicode' });
      if (value.length <= max || (value.length <= max * 2 && [...value].length <= max)) return;
      context.addIssue({ code: 'too_big', origin: 'string', maximum: max, inclusive: true, input: value });
    });
}

export const content = text(4_000);
export const username = text(64);
export const language = z.enum(['ENGLISH', 'UKRAINIAN', 'ITALIAN']);
export const userType = z.enum(['REGULAR_USER', 'TRANSLATOR']);
export const languages = z.array(language).max(16);

const wholeNumber = z.string().regex(/^[1-9]\d{0,2}$/, { error: 'a whole number from 1 to 200' });

/** A number in a query, from 1 to 200. */
export const limit = wholeNumber.transform(Number).refine((value) => value <= 200, {
  error: 'a whole number from 1 to 200',
});

export const limitDefault = 50;
