/**
 * The chat's configuration: environment variables and flags (flags win), validated once at the start. All mistakes come
 * at once, one sentence each. An empty variable counts as not set, as a compose file leaves it.
 *
 * Nothing here opens a store or a port.
 */

import { z } from 'zod';
import {
  type Durability,
  durabilitiesOf,
  isLoopback,
  parseJournalUrl,
  type Role,
  TroupeError,
  withoutPassword,
} from '../src/index.ts';
import { type OidcConfig, oidcMistakes, oidcSettings } from './config-oidc.ts';
import { type Setting, setting } from './setting.ts';

export interface StoreConfig {
  /** `lmdb:<folder>`, or Redis: `redis://…`, `rediss://…`, `redis+sentinel://…`, `redis+cluster://…`. */
  readonly journal: string;
  /** Undefined: what the store has; 64 for a new one. */
  readonly shards: number | undefined;
  /** Undefined: `disk` for lmdb; for redis whatever the server does. */
  readonly durability: Durability | undefined;
  /** Replicas that must have a commit before it is answered; undefined unless the durability is about replicas. */
  readonly replicas: number | undefined;
  /** `file:<folder>` for what is trimmed from the journal; undefined: nothing is trimmed. */
  readonly archive: string | undefined;
  /** Undefined: tokens of an issuer alone, or else development mode, with the secret that is kept with the store. */
  readonly authSecret: string | undefined;
}

export interface Config extends StoreConfig, OidcConfig {
  readonly port: number;
  readonly host: string;
  readonly allowedOrigins: readonly string[];
  readonly logLevel: (typeof logLevels)[number];
  readonly leaseMs: number;
  /** Undefined: the command makes one. */
  readonly nodeId: string | undefined;
  readonly role: Role;
  readonly weight: number;
  readonly retentionHours: number;
  /** Where `GET /metrics` is: beside everything else (`loopback`: unless others reach it), nowhere, or on a port of its own. */
  readonly metrics: 'loopback' | 'on' | 'off' | number;
}

const roles = ['all', 'gateway', 'worker'] as const satisfies readonly Role[];
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  const sentence = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, sentence)
    .transform(Number)
    .refine((value) => value >= min && value <= max, sentence);
}

/** "a, b or c". */
function either(words: readonly string[], word = 'or'): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} ${word} ${words.at(-1)}`;
}

/** Whether several nodes can use the journal of this URL. Throws `CONFIG_INVALID` when it is none. */
export function isShared(url: string): boolean {
  const { kind } = parseJournalUrl(url);
  return kind !== 'lmdb' && kind !== 'memory';
}

/** The durabilities that wait for replicas, and so need to know how many. */
function isReplicated(durability: Durability | undefined): boolean {
  return durability?.startsWith('replica') === true;
}

const durabilities = [...durabilitiesOf('lmdb'), ...durabilitiesOf('redis')];

const journalExamples = [
  'lmdb:./data',
  'redis://host:6379',
  'rediss://host:6379',
  'redis+sentinel://host:26379/name',
  'redis+cluster://host:6379',
];

const journalUrl = z.string().superRefine((url, context) => {
  try {
    parseJournalUrl(url);
  } catch {
    context.addIssue({
      code: 'custom',
      message: `must look like ${either(journalExamples)}`,
    });
  }
});

const origins = z
  .string()
  .transform((list) => list.split(',').map((origin) => origin.trim()))
  .refine(
    (list) => list.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
    'must be origins separated by commas, like https://chat.example.com',
  );

/** Every setting there is, in the order of the README's table. */
export const settings = {
  port: setting({
    name: 'PORT',
    flag: '--port',
    argument: 'port',
    about: 'port to listen on; 0 takes a free one',
    schema: wholeNumber(0, 65_535),
    initial: 8082,
  }),
  host: setting({
    name: 'HOST',
    flag: '--host',
    argument: 'address',
    about: 'address to listen on',
    schema: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be an IP address or a host name'),
    initial: '127.0.0.1',
  }),
  journal: setting({
    name: 'JOURNAL',
    flag: '--journal',
    argument: 'url',
    about: 'where everything is kept: lmdb:<folder>, redis://…, rediss://…, redis+sentinel://… or redis+cluster://…',
    schema: journalUrl,
    initial: 'lmdb:./data',
  }),
  shards: setting<number | undefined>({
    name: 'SHARDS',
    flag: '--shards',
    argument: 'count',
    about: 'shards of a new store (default 64); checked against an existing one',
    schema: wholeNumber(1, 16_384),
    initial: undefined,
  }),
  durability: setting<Durability | undefined>({
    name: 'DURABILITY',
    flag: '--durability',
    argument: 'level',
    about: `lmdb: ${either(durabilitiesOf('lmdb'))} (default disk); redis: what it must at least do, ${either(durabilitiesOf('redis'))}`,
    schema: z.enum(durabilities, `must be ${either(durabilities)}`),
    initial: undefined,
  }),
  replicas: setting<number | undefined>({
    name: 'REPLICAS',
    flag: '--replicas',
    argument: 'count',
    about: 'replicas that must have a commit before it is answered, with a DURABILITY of replicas (then default 1)',
    schema: wholeNumber(1, 16),
    initial: undefined,
  }),
  archive: setting<string | undefined>({
    name: 'ARCHIVE',
    flag: '--archive',
    argument: 'url',
    about: 'where entries go before the journal is trimmed: file:<folder>; without it nothing is trimmed',
    schema: z.string().regex(/^file:.+$/s, 'must look like file:./archive'),
    initial: undefined,
  }),
  authSecret: setting<string | undefined>({
    name: 'AUTH_SECRET',
    argument: 'secret',
    about:
      'secret that signs bearer tokens (HS256); without it and OIDC_ISSUER, development mode on a loopback address',
    schema: z.string().refine((secret) => Buffer.byteLength(secret) >= 32, 'must be at least 32 bytes long'),
    initial: undefined,
    secret: true,
  }),
  ...oidcSettings,
  allowedOrigins: setting<readonly string[]>({
    name: 'ALLOWED_ORIGINS',
    flag: '--allowed-origins',
    argument: 'list',
    about: 'origins of pages, beside its own, that may use this server; separated by commas',
    schema: origins,
    initial: [],
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    flag: '--log-level',
    argument: 'level',
    about: `one of ${logLevels.join(', ')}`,
    schema: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`),
    initial: 'info',
  }),
  leaseMs: setting({
    name: 'LEASE_MS',
    flag: '--lease-ms',
    argument: 'ms',
    about: "how long a node's hold on its shards outlives the node",
    schema: wholeNumber(1_000, 60_000),
    initial: 5_000,
  }),
  nodeId: setting<string | undefined>({
    name: 'NODE_ID',
    flag: '--node-id',
    argument: 'id',
    about: 'name of this node among those of its journal; by default the host name and a random part',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of the characters A-Z, a-z, 0-9, ".", "_", "-"'),
    initial: undefined,
  }),
  role: setting({
    name: 'ROLE',
    flag: '--role',
    argument: 'role',
    about: 'all: owns shards and serves clients; gateway: only serves; worker: only owns',
    schema: z.enum(roles, `must be ${either(roles)}`),
    initial: 'all',
  }),
  weight: setting({
    name: 'WEIGHT',
    flag: '--weight',
    argument: 'number',
    about: "this node's share of the shards relative to other nodes; 0 takes none",
    schema: wholeNumber(0, 100),
    initial: 1,
  }),
  retentionHours: setting({
    name: 'RETENTION_HOURS',
    flag: '--retention-hours',
    argument: 'hours',
    about: 'how long an operation that has ended keeps more than its outcome',
    schema: wholeNumber(1, 87_600),
    initial: 24,
  }),
  metrics: setting<Config['metrics']>({
    name: 'METRICS',
    flag: '--metrics',
    argument: 'where',
    about: 'where GET /metrics is served: loopback (only when HOST is one), on, off, or a port of its own',
    schema: z.union(
      [z.enum(['loopback', 'on', 'off']), wholeNumber(0, 65_535)],
      'must be loopback, on, off or a port from 0 to 65535',
    ),
    initial: 'loopback',
  }),
} as const satisfies { readonly [K in keyof Config]-?: Setting<Config[K]> };

export type Environment = Readonly<Record<string, string | undefined>>;
/** Flags by their name in `Config`, as typed. */
export type Flags = { readonly [K in keyof Config]?: string | undefined };

class Reader {
  readonly mistakes: string[] = [];
  /** The journal's URL once `store` has read it; undefined when it is a mistake. */
  journal: string | undefined;
  readonly #environment: Environment;
  readonly #flags: Flags;

  constructor(environment: Environment, flags: Flags) {
    this.#environment = environment;
    this.#flags = flags;
  }

  /** What the user called it: the flag if it was used, else the variable. */
  called(key: keyof Config): string {
    const { name, flag } = settings[key] as Setting<unknown>;
    return this.#flags[key] !== undefined && flag !== undefined ? flag : name;
  }

  isSet(key: keyof Config): boolean {
    return (this.#flags[key] ?? this.#environment[settings[key].name] ?? '') !== '';
  }

  read<K extends keyof Config>(key: K): Config[K] | undefined {
    const { name, schema, initial, secret } = settings[key] as unknown as Setting<Config[K]>;
    const text = this.#flags[key] ?? this.#environment[name];
    if (text === undefined || text === '') return initial;
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    const shown = secret === true ? '' : `, not "${withoutPassword(text)}"`;
    this.mistakes.push(`${this.called(key)} ${parsed.error.issues[0]?.message ?? 'is invalid'}${shown}.`);
    return undefined;
  }

  store(): StoreConfig {
    const journal = this.read('journal');
    this.journal = journal;
    const durability = this.read('durability');
    if (journal !== undefined && durability !== undefined) {
      const { kind } = parseJournalUrl(journal);
      const known = durabilitiesOf(kind);
      if (!known.includes(durability)) {
        this.mistakes.push(
          `${this.called('durability')} "${durability}" does not fit a ${kind} journal, which knows ${either(known, 'and')}.`,
        );
      }
    }
    const shards = this.read('shards');
    const replicas = this.read('replicas');
    if (replicas !== undefined && !isReplicated(durability)) {
      this.mistakes.push(
        `${this.called('replicas')} says how many replicas a commit waits for; set DURABILITY to a level that waits for them.`,
      );
    }
    return {
      journal: journal ?? settings.journal.initial,
      shards,
      durability,
      replicas: isReplicated(durability) ? (replicas ?? 1) : undefined,
      archive: this.read('archive'),
      authSecret: this.read('authSecret'),
    };
  }

  /** What this node is to the others; `journal` (undefined: not known for a mistake) decides whether there can be any. */
  node(journal: string | undefined): Pick<Config, 'nodeId' | 'role' | 'weight'> {
    const nodeId = this.read('nodeId');
    const role = this.read('role') ?? settings.role.initial;
    const weight = this.read('weight') ?? settings.weight.initial;
    if (role !== 'all' && journal !== undefined && !isShared(journal)) {
      this.mistakes.push(
        `${this.called('role')} "${role}" needs a journal that several nodes can use, like redis://host:6379; "${journal}" is for one process.`,
      );
    }
    return { nodeId, role, weight };
  }

  oidc(): OidcConfig {
    const config = {
      oidcIssuer: this.read('oidcIssuer'),
      oidcClientId: this.read('oidcClientId'),
      oidcAudience: this.read('oidcAudience'),
      oidcScope: this.read('oidcScope') ?? settings.oidcScope.initial,
      oidcAdmins: this.read('oidcAdmins') ?? settings.oidcAdmins.initial,
    };
    this.mistakes.push(
      ...oidcMistakes(
        (key) => this.isSet(key),
        (key) => this.called(key),
      ),
    );
    return config;
  }

  /** Throws `CONFIG_INVALID` with every mistake, one per line. */
  finish<T>(config: T): T {
    if (this.mistakes.length === 0) return config;
    throw new TroupeError('CONFIG_INVALID', this.mistakes.join('\n'), { mistakes: this.mistakes });
  }
}

/** What the reading commands need. Throws `CONFIG_INVALID`. */
export function readStoreConfig(environment: Environment, flags: Flags = {}): StoreConfig {
  const reader = new Reader(environment, flags);
  return reader.finish(reader.store());
}

/** Everything a server needs. Throws `CONFIG_INVALID`, also when it would let anybody on the network sign in. */
export function readConfig(environment: Environment, flags: Flags = {}): Config {
  const reader = new Reader(environment, flags);
  const store = reader.store();
  const oidc = reader.oidc();
  const host = reader.read('host');
  // A wrong one is a mistake already.
  const peopleSignIn = reader.isSet('authSecret') || reader.isSet('oidcIssuer');
  if (host !== undefined && !isLoopback(host) && !peopleSignIn) {
    reader.mistakes.push(
      `AUTH_SECRET or OIDC_ISSUER must be set to listen on ${host}: without them anybody who reaches the port could sign in as anybody.`,
    );
  }
  return reader.finish({
    ...store,
    ...oidc,
    host: host ?? settings.host.initial,
    port: reader.read('port') ?? settings.port.initial,
    allowedOrigins: reader.read('allowedOrigins') ?? settings.allowedOrigins.initial,
    logLevel: reader.read('logLevel') ?? settings.logLevel.initial,
    leaseMs: reader.read('leaseMs') ?? settings.leaseMs.initial,
    ...reader.node(reader.journal),
    retentionHours: reader.read('retentionHours') ?? settings.retentionHours.initial,
    metrics: reader.read('metrics') ?? settings.metrics.initial,
  });
}
