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
export { adminOf } from './gateway/authentication.ts';
export type {
  Admittance,
  ChannelRules,
  ChannelTopics,
  Shown,
} from './gateway/centrifugo/channel-rules.ts';
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
export { type FeedPosition, type Frame, type HttpRequest, type HttpResponse, json } from './gateway/http.ts';
export { createIssuer, type Issuer, type OperatorRule } from './gateway/issuer.ts';
export { hostIn, isAuthentic, isLoopback } from './gateway/loopback.ts';
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
export type {
  Attempt,
  AttemptCandidate,
  HistoryPage,
  HistoryStep,
  InitialState,
  OperationStep,
  OperationTrace,
  Refusal as EventRefusal,
} from './inspect/answers.ts';
export { activeStates, type Chart, type ChartEdge, type ChartState, chartOf } from './inspect/chart/chart.ts';
export { definitionOf, type MachineDefinition } from './inspect/chart/definition.ts';
export { type Layout, layoutOf } from './inspect/chart/layout.ts';
export { mermaidOf } from './inspect/chart/mermaid.ts';
export { type SvgOptions, svgOf } from './inspect/chart/svg.ts';
export { elkLayout } from './inspect/elk.ts';
export { Inspection } from './inspect/inspection.ts';
export { defaultInspectionLimits, type InspectionLimits } from './inspect/inspection-limits.ts';
export { inspectorQueries } from './inspect/inspector-queries.ts';
export { inspectorSocket } from './inspect/inspector-socket.ts';
export { redactionOf } from './inspect/personal.ts';
export { TimeTravel, type TimeTravelOptions } from './inspect/time-travel.ts';
export { defaultTravelLimits, type TravelLimits } from './inspect/travel-limits.ts';
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
export {
  defineProjection,
  isRetirement,
  type Projection,
  type Row,
  rule,
  type Step,
} from './projection/projection.ts';
export { type RebuildOptions, type Rebuilt, rebuildShard } from './projection/rebuild.ts';
export { openSystem, type SystemOptions } from './system.ts';
export type { SignalListener, Signals } from './topic/signals.ts';
export { type Publication, type TopicHistory, topicShard } from './topic/topic.ts';
export { silentWitness, type Witness, type WitnessedStep } from './witness.ts';
