/**
 * The public surface of the runtime: everything an application may use, and the only barrel. What is not exported here
 * may change without notice.
 */

export { type Address, addressOf, isUuid, moveNear, parseAddress, shardOf, slotOf, slots } from './actor/address.ts';
export {
  type ActorDefinition,
  type ActorOptions,
  defineActor,
  type EffectContext,
  type EffectsOf,
  type EventOf,
  type SnapshotOf,
  type SnapshotPolicy,
} from './actor/definition.ts';
export { type Effect, publish, reply, tell } from './actor/effect.ts';
export type { AnyEvent, Envelope } from './actor/envelope.ts';
export { HostedMachine } from './actor/logic.ts';
export { register } from './actor/registration.ts';
export type { ActorRef, ActorState, ActorSystem, HistoryEntry, SendOptions } from './actor-system.ts';
export { type Clock, sleep, systemClock } from './clock.ts';
export { type ErrorCode, messageOf, TroupeError } from './errors.ts';
export { signToken, tokenSeconds } from './gateway/tokens.ts';
export { type Ids, systemIds } from './ids.ts';
export { decode, encode } from './journal/codec.ts';
export type { Difference, Findings } from './journal/findings.ts';
export type { AcquireOutcome, DeadLetterRecord, Journal, Owner, RangeOptions } from './journal/journal.ts';
export {
  type Durability,
  durabilitiesOf,
  type JournalLocation,
  type OpenJournalOptions,
  openJournal,
  parseJournalUrl,
  withoutPassword,
} from './journal/open.ts';
export { JournalReader, type ReadActor } from './journal/reader.ts';
export { type VerifyOptions, verifyJournal } from './journal/verify.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { type Log, silentLog } from './log.ts';
export { defineProjection, type Projection, type Row, rule, type Step } from './projection/projection.ts';
export { type RebuildOptions, type Rebuilt, rebuildShard } from './projection/rebuild.ts';
export { openSystem, type SystemOptions } from './system.ts';
export { type Publication, type TopicHistory, topicShard } from './topic/topic.ts';
