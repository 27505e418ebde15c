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
  type PlainSnapshot,
  type RetirementPolicy,
  type SnapshotOf,
  type SnapshotPolicy,
} from './actor/definition.ts';
export { type Effect, publish, reply, tell } from './actor/effect.ts';
export type { AnyEvent, Envelope } from './actor/envelope.ts';
export { HostedMachine } from './actor/logic.ts';
export { register } from './actor/registration.ts';
export type { ActorRef, ActorState, ActorSystem, HistoryEntry, SendOptions } from './actor-system.ts';
export type { Archive, Segment } from './archive/archive.ts';
export { openArchive, withArchive } from './archive/open.ts';
export { type Clock, sleep, systemClock } from './clock.ts';
export type {
  Channel,
  ChannelListener,
  ClusterStore,
  ClusterView,
  LiveNode,
  NodeInfo,
  Role,
  ShardStatus,
} from './cluster/cluster-store.ts';
export { announce } from './cluster/messages.ts';
export { ownsShards, placementOf } from './cluster/placement.ts';
export { type ErrorCode, messageOf, TroupeError } from './errors.ts';
export {
  type Call,
  type Command,
  defineCommand,
  defineQuery,
  type OpenRoute,
  type Operations,
  type Prepared,
  type Query,
  type QueryCall,
  type Started,
} from './gateway/command.ts';
export type { Connection, Delivery, History } from './gateway/connection.ts';
export { Feed, type Topics } from './gateway/feed.ts';
export {
  defaultGatewayLimits,
  type Gateway,
  type GatewayLimits,
  type GatewayOptions,
  openGateway,
} from './gateway/gateway.ts';
export { type Frame, type HttpRequest, type HttpResponse, json } from './gateway/http.ts';
export { Lru } from './gateway/lru.ts';
export { createPresence, type Presence } from './gateway/presence.ts';
export {
  type GatewayCode,
  gatewayStatuses,
  type Params,
  type Problem,
  type ProblemCatalog,
  problemOf,
  Refusal,
} from './gateway/problem.ts';
export type { Caller, SocketCommands } from './gateway/socket-commands.ts';
export type { OpenedSocket, SignedIn, SocketRoute } from './gateway/socket-session.ts';
export { type Claims, signToken, tokenSeconds } from './gateway/tokens.ts';
export { jsonOf, validated } from './gateway/validation.ts';
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
export { declareWords, type Words } from './journal/words.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { type Log, silentLog } from './log.ts';
export { type MetricsServer, openMetricsServer } from './metrics/metrics-server.ts';
export { createMetrics, type Metrics } from './metrics/prometheus.ts';
export {
  type GatewayObserver,
  type Observer,
  type ShardGauges,
  silentGatewayObserver,
  silentObserver,
} from './observer.ts';
export { defineProjection, type Projection, type Row, rule, type Step } from './projection/projection.ts';
export { type RebuildOptions, type Rebuilt, rebuildShard } from './projection/rebuild.ts';
export { openSystem, type SystemOptions } from './system.ts';
export { type Publication, type TopicHistory, topicShard } from './topic/topic.ts';
