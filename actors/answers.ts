/**
 * Participants' answers find their saga by its address, which the operation's id gives: an answer to an operation that
 * waited is sent while another one's envelope is handled, so that "whoever asked" would be the wrong saga.
 */

import type { Answer } from '../machines/dialogue.ts';
import { addressOf, type Effect, tell } from '../src/index.ts';
import { sagaNames } from './contract.ts';

function toSaga(answer: Answer): Effect {
  const saga = answer.type.slice(0, -'_APPROVED'.length);
  return tell(addressOf(saga, answer.operationId), answer, { operation: answer.operationId });
}

export const answers = Object.fromEntries(
  sagaNames.flatMap((saga) => [`${saga}_APPROVED`, `${saga}_REJECTED`]).map((type) => [type, toSaga]),
) as { readonly [K in Answer['type']]: typeof toSaga };
