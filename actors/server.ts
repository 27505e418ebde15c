/**
 * The chat server: a system of the chat's actors on a journal, and a gateway in front of it. `startChat` is all a process
 * needs; its options are explicit, and nothing here reads the environment. It stops in the order that loses nothing: no
 * new work, finish what is under way, commit, then tell the sockets and close.
 */

import { pino } from 'pino';
import {
  type ActorSystem,
  type Clock,
  createIssuer,
  defaultGatewayLimits,
  defaultLimits,
  type Gateway,
  type GatewayLimits,
  type Ids,
  Inspection,
  type Issuer,
  inspectorQueries,
  inspectorSocket,
  isLoopback,
  type Journal,
  type Limits,
  type Log,
  type Metrics,
  type MetricsServer,
  openGateway,
  openMetricsServer,
  openSystem,
  type Role,
  sleep,
  systemClock,
  systemIds,
  TroupeError,
} from '../src/index.ts';
import { type ChatApi, chatApi } from './api.ts';
import { chatActors, chatProjections } from './chat.ts';
import type { Oidc } from './config-oidc.ts';
import type { Hub } from './notifications-hub.ts';

export interface ChatServerOptions {
  /** A journal to open a system on; it is closed with the server. */
  readonly journal?: Journal;
  /** Or a system with the chat's actors that is open already; it stays open when the server stops. */
  readonly system?: ActorSystem;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Signs and verifies bearer tokens (HS256). Undefined: only an issuer's are accepted. */
  readonly authSecret?: string | undefined;
  /** An OpenID Connect issuer whose tokens are accepted, too. */
  readonly oidc?: Oidc | undefined;
  /** Lets anybody have a token for anybody: for one's own machine. */
  readonly devMode?: boolean;
  /** Origins that may open a socket, beside the server's own. */
  readonly allowedOrigins?: readonly string[];
  readonly leaseMs?: number;
  /** Name of this node, unique among the nodes of the journal. Default: a fresh one. */
  readonly node?: string;
  /** What this node does for the others; anything but `all` needs a journal that several nodes can use. Default `all`. */
  readonly role?: Role;
  /** This node's share of the shards relative to other nodes. Default 1. */
  readonly weight?: number;
  /** What is told to be measured; served at `/metrics` of the port, unless it has one of its own. */
  readonly metrics?: Metrics;
  /** A port for operators alone, on the same host: metrics and probes. 0 takes a free one. */
  readonly metricsPort?: number;
  /** The inspection whose routes are served. Default: one of its own; none for a system that is open already. */
  readonly inspection?: Inspection;
  /** Folder of the built pages; without it there are none. */
  readonly pages?: string;
  readonly limits?: Partial<GatewayLimits>;
  readonly runtimeLimits?: Partial<Limits>;
  /** Pino, or anything that logs like it. Default: pino on stdout. */
  readonly logger?: Log;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** A busy port is tried again for this long. Default 5,000 ms. */
  readonly listenMs?: number;
  /** Calls under way are given this long at a stop. Default 10,000 ms. */
  readonly drainMs?: number;
  /** Sockets are told to reconnect over this long at a stop. Default 500 ms. */
  readonly closeJitterMs?: number;
}

export interface ChatServer {
  readonly port: number;
  /** Of the port for operators, if there is one. */
  readonly metricsPort: number | undefined;
  readonly system: ActorSystem;
  readonly hub: Hub;
  /** Open sockets. */
  sockets(): number;
  /** Finishes what is under way, commits, tells the sockets, closes. The same promise for every call. */
  stop(): Promise<void>;
}

const listenAgainMs = 100;
/** What a takeover takes beyond the lease, generously. */
const takeoverMs = 3_000;
const listenMsDefault = 5_000;
/** The pages, and where they are. */
const documents = { '/': 'chat/index.html', '/inspector': 'inspector/index.html' };

async function systemOf(
  options: ChatServerOptions,
  log: Log,
  clock: Clock,
  ids: Ids,
  witness: Inspection | undefined,
): Promise<ActorSystem> {
  const { journal, system, host, port, leaseMs, runtimeLimits, node, role = 'all', weight = 1, metrics } = options;
  if (system !== undefined) return system;
  if (journal === undefined) throw new TroupeError('CONFIG_INVALID', 'startChat needs a journal or an open system.');
  const isShared = journal.cluster !== undefined;
  const lease = leaseMs ?? runtimeLimits?.leaseMs ?? defaultLimits.leaseMs;
  // Among several nodes an answer may have to wait until a dead owner's lease is over.
  const patience = isShared ? { askMs: lease + takeoverMs } : {};
  const limits = { ...patience, ...runtimeLimits, leaseMs: lease };
  const place = {
    ...(node === undefined ? {} : { node }),
    ...(isShared || role !== 'all' ? { cluster: { role, weight, about: `${host}:${port}` } } : {}),
    ...(metrics === undefined ? {} : { observer: metrics.runtime }),
    ...(witness === undefined ? {} : { witness }),
  };
  const parts = { journal, actors: chatActors, projections: chatProjections, limits, log, clock, ids };
  try {
    return await openSystem({ ...parts, ...place });
  } catch (error) {
    // A system that does not come about leaves it open, and an open journal keeps the process alive.
    await journal.close();
    throw error;
  }
}

/** Tries a busy port again: an earlier server may still be finishing. */
async function listen<T>(open: () => Promise<T>, clock: Clock, forMs: number): Promise<T> {
  const deadline = clock.monotonic() + forMs;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const isBusy = error instanceof TroupeError && error.params.busy === true;
      if (!isBusy || clock.monotonic() >= deadline) throw error;
      await sleep(clock, listenAgainMs);
    }
  }
}

/** The port for operators, if one is wanted. */
async function listenToOperators(
  { host, metrics, metricsPort: port, listenMs = listenMsDefault }: ChatServerOptions,
  log: Log,
  clock: Clock,
  ready: () => boolean,
): Promise<MetricsServer | undefined> {
  if (metrics === undefined || port === undefined) return undefined;
  return listen(() => openMetricsServer({ host, port, metrics, ready, log }), clock, listenMs);
}

/** What a node that serves no clients has on its port: probes, and metrics unless they have a port of their own. */
async function openProbes(
  { host, port, metrics, metricsPort }: ChatServerOptions,
  log: Log,
  ready: () => boolean,
): Promise<Gateway> {
  const served = metrics === undefined || metricsPort !== undefined ? {} : { metrics };
  const server = await openMetricsServer({ host, port, ready, log, ...served });
  const nothing = (): Promise<void> => Promise.resolve();
  return { port: server.port, sockets: () => 0, drain: nothing, closeSockets: nothing, close: () => server.close() };
}

/** Its keys are asked for meanwhile: a start does not wait for them, nor fail when it does not answer. */
function issuerOf({ oidc, role }: ChatServerOptions, log: Log, clock: Clock): Issuer | undefined {
  if (oidc === undefined || role === 'worker') return undefined;
  const issuer = createIssuer({ ...oidc, audience: oidc.audience ?? oidc.clientId, log, clock });
  void issuer.prepare();
  return issuer;
}

/** Beside the chat's own, what operators ask and watch. */
function withInspector(api: ChatApi, inspection: Inspection | undefined): ChatApi {
  if (inspection === undefined) return api;
  return {
    ...api,
    queries: [...api.queries, ...inspectorQueries(inspection)],
    sockets: (commands) => [...api.sockets(commands), inspectorSocket(inspection)],
  };
}

/** Starts the chat. Rejects with a `TroupeError` that says what to do; nothing is left open then. */
export async function startChat(options: ChatServerOptions): Promise<ChatServer> {
  const { host, port, authSecret, oidc, devMode = false, clock = systemClock, ids = systemIds } = options;
  const log: Log = options.logger ?? pino();
  const ownsSystem = options.system === undefined;
  const issuer = issuerOf(options, log, clock);
  const inspection = options.inspection ?? (ownsSystem ? new Inspection() : undefined);
  const system = await systemOf(options, log, clock, ids, inspection);
  const devAdmins = devMode && isLoopback(host);
  const chat = chatApi({ system, clock, log, authSecret, devMode, devAdmins, oidc });
  const { hub, ...api } = withInspector(chat, inspection);
  const { metrics, metricsPort } = options;
  let isServing = false;
  const isReady = (): boolean => isServing && api.ready();
  const open = (): Promise<Gateway> => {
    if (options.role === 'worker') return openProbes(options, log, isReady);
    return openGateway({
      ...api,
      host,
      port,
      authSecret,
      issuer,
      allowedOrigins: options.allowedOrigins ?? [],
      limits: { ...defaultGatewayLimits, ...options.limits },
      clock,
      ids,
      log,
      ...(metrics === undefined ? {} : { observer: metrics.gateway }),
      ...(metrics === undefined || metricsPort !== undefined ? {} : { metrics }),
      ...(options.pages === undefined
        ? {}
        : { pages: { folder: options.pages, documents, connectTo: () => issuer?.origins() ?? [] } }),
    });
  };
  let gateway: Gateway;
  let operators: MetricsServer | undefined;
  try {
    operators = await listenToOperators(options, log, clock, isReady);
    gateway = await listen(open, clock, options.listenMs ?? listenMsDefault);
    isServing = true;
  } catch (error) {
    operators?.close();
    if (ownsSystem) await system.stop();
    throw error;
  }
  log.info({ host, port: gateway.port, journal: system.journal.kind, shards: system.shards }, 'chat started');
  const stop = async (): Promise<void> => {
    log.info({ sockets: gateway.sockets() }, 'chat stops');
    isServing = false;
    await gateway.drain(options.drainMs ?? 10_000);
    // Before the sockets close: outcomes of the last turns still reach them, and another node can take over meanwhile.
    if (ownsSystem) await system.stop();
    await gateway.closeSockets(options.closeJitterMs ?? 500);
    gateway.close();
    operators?.close();
    log.info({}, 'chat stopped');
  };
  let stopped: Promise<void> | undefined;
  return {
    port: gateway.port,
    metricsPort: operators?.port,
    system,
    hub,
    sockets: () => gateway.sockets(),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
