import { describe, expect, test } from 'vitest';
import { type Environment, type Flags, readConfig, readStoreConfig, settings } from '../../actors/config.ts';
import { durabilitiesOf, isLoopback, TroupeError } from '../../src/index.ts';

const secret = 'a secret of more than thirty-two bytes';

/** The mistakes of a configuration, none when it is good. */
function mistakes(environment: Environment, flags: Flags = {}): readonly string[] {
  try {
    readConfig(environment, flags);
    return [];
  } catch (error) {
    if (!(error instanceof TroupeError)) throw error;
    expect(error.code).toBe('CONFIG_INVALID');
    return error.params.mistakes as readonly string[];
  }
}

describe('readConfig', () => {
  test('nothing set is a server on loopback', () => {
    expect(readConfig({})).toEqual({
      port: 8082,
      host: '127.0.0.1',
      journal: 'lmdb:./data',
      shards: undefined,
      durability: undefined,
      authSecret: undefined,
      allowedOrigins: [],
      logLevel: 'info',
      leaseMs: 5_000,
      replicas: undefined,
      archive: undefined,
      nodeId: undefined,
      role: 'all',
      weight: 1,
      retentionHours: 24,
      metrics: 'loopback',
      oidcIssuer: undefined,
      oidcClientId: undefined,
      oidcAudience: undefined,
      oidcScope: 'openid email',
      oidcAdmins: [],
    });
  });

  test('variables are read into their types', () => {
    const config = readConfig({
      PORT: '0',
      HOST: '0.0.0.0',
      JOURNAL: 'rediss://user:pass@cache:6380/2',
      SHARDS: '128',
      DURABILITY: 'always',
      AUTH_SECRET: secret,
      ALLOWED_ORIGINS: 'https://a.example, http://localhost:3000',
      LOG_LEVEL: 'silent',
      LEASE_MS: '10000',
      ARCHIVE: 'file:/var/lib/troupe',
      NODE_ID: 'rack-7.b_2',
      ROLE: 'worker',
      WEIGHT: '4',
      RETENTION_HOURS: '48',
      METRICS: '9464',
      OIDC_ISSUER: 'https://accounts.example.com/realms/a/',
      OIDC_CLIENT_ID: 'troupe',
      OIDC_AUDIENCE: 'https://chat.example.com/api',
      OIDC_SCOPE: 'openid email offline_access',
      OIDC_ADMINS: 'op@example.com, roles=troupe-admin, https://example.com/team=the operators',
    });

    expect(config).toEqual({
      port: 0,
      host: '0.0.0.0',
      journal: 'rediss://user:pass@cache:6380/2',
      shards: 128,
      durability: 'always',
      authSecret: secret,
      allowedOrigins: ['https://a.example', 'http://localhost:3000'],
      logLevel: 'silent',
      leaseMs: 10_000,
      replicas: undefined,
      archive: 'file:/var/lib/troupe',
      nodeId: 'rack-7.b_2',
      role: 'worker',
      weight: 4,
      retentionHours: 48,
      metrics: 9464,
      oidcIssuer: 'https://accounts.example.com/realms/a/',
      oidcClientId: 'troupe',
      oidcAudience: 'https://chat.example.com/api',
      oidcScope: 'openid email offline_access',
      oidcAdmins: [
        { email: 'op@example.com' },
        { claim: 'roles', value: 'troupe-admin' },
        { claim: 'https://example.com/team', value: 'the operators' },
      ],
    });
  });

  test('flags win over variables', () => {
    expect(readConfig({ PORT: '1', LOG_LEVEL: 'warn' }, { port: '2' })).toMatchObject({ port: 2, logLevel: 'warn' });
  });

  test('an empty variable counts as not set', () => {
    expect(readConfig({ PORT: '', AUTH_SECRET: '', JOURNAL: '' })).toEqual(readConfig({}));
  });

  test('all mistakes come at once', () => {
    const found = mistakes({
      PORT: '99999',
      HOST: 'a b',
      JOURNAL: 'mysql://x',
      SHARDS: '0',
      DURABILITY: 'maybe',
      AUTH_SECRET: 'short',
      ALLOWED_ORIGINS: 'https://a.example/path',
      LOG_LEVEL: 'loud',
      LEASE_MS: '1.5',
      ARCHIVE: 's3://bucket',
      NODE_ID: 'a b',
      ROLE: 'boss',
      WEIGHT: '101',
      RETENTION_HOURS: 'ever',
      REPLICAS: '17',
      METRICS: 'maybe',
      OIDC_ISSUER: 'http://accounts.example.com',
      OIDC_CLIENT_ID: 'two words',
      OIDC_AUDIENCE: 'one\ttab',
      OIDC_SCOPE: 'email',
      OIDC_ADMINS: 'somebody',
    });

    expect(found).toEqual([
      'JOURNAL must look like lmdb:./data, redis://host:6379, rediss://host:6379, redis+sentinel://host:26379/name or redis+cluster://host:6379, not "mysql://x".',
      expect.stringMatching(/^DURABILITY must be process, disk, everysec(, [a-z-]+)* or [a-z-]+, not "maybe"\.$/),
      'SHARDS must be a whole number from 1 to 16384, not "0".',
      'REPLICAS must be a whole number from 1 to 16, not "17".',
      'ARCHIVE must look like file:./archive, not "s3://bucket".',
      'AUTH_SECRET must be at least 32 bytes long.',
      'OIDC_ISSUER must be an https URL without query, like https://accounts.example.com (http on loopback only), not "http://accounts.example.com".',
      'OIDC_CLIENT_ID must be 1 to 255 printable characters without spaces, not "two words".',
      'OIDC_AUDIENCE must be 1 to 255 printable characters without spaces, not "one\ttab".',
      'OIDC_SCOPE must contain openid, not "email".',
      'OIDC_ADMINS must be emails or claims separated by commas, like op@example.com or roles=troupe-admin, not "somebody".',
      'HOST must be an IP address or a host name, not "a b".',
      'PORT must be a whole number from 0 to 65535, not "99999".',
      'ALLOWED_ORIGINS must be origins separated by commas, like https://chat.example.com, not "https://a.example/path".',
      'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud".',
      'LEASE_MS must be a whole number from 1000 to 60000, not "1.5".',
      'NODE_ID must be 1 to 64 of the characters A-Z, a-z, 0-9, ".", "_", "-", not "a b".',
      'ROLE must be all, gateway or worker, not "boss".',
      'WEIGHT must be a whole number from 0 to 100, not "101".',
      'RETENTION_HOURS must be a whole number from 1 to 87600, not "ever".',
      'METRICS must be loopback, on, off or a port from 0 to 65535, not "maybe".',
    ]);
  });

  test('a mistake names the flag it was made with', () => {
    expect(mistakes({}, { port: 'x' })).toEqual(['--port must be a whole number from 0 to 65535, not "x".']);
  });

  test('no message shows a password', () => {
    expect(mistakes({ JOURNAL: 'redis//bob:hunter2@host' }).join()).not.toContain('hunter2');
    expect(mistakes({ JOURNAL: 'mysql://bob:hunter2@host' }).join()).not.toContain('hunter2');
    expect(mistakes({ AUTH_SECRET: 'hunter2' }).join()).not.toContain('hunter2');
  });

  test('a durability fits the kind of journal', () => {
    expect(mistakes({ DURABILITY: 'always' })).toEqual([
      'DURABILITY "always" does not fit a lmdb journal, which knows process and disk.',
    ]);
    expect(mistakes({ JOURNAL: 'redis://host' }, { durability: 'disk' })).toEqual([
      expect.stringMatching(/^--durability "disk" does not fit a redis journal, which knows everysec(, | and )always/),
    ]);
    expect(mistakes({ JOURNAL: 'lmdb:/tmp/x', DURABILITY: 'process' })).toEqual([]);
  });

  test('replicas are counted where a commit waits for them', () => {
    const redis = { JOURNAL: 'redis://host' };

    expect(mistakes({ ...redis, REPLICAS: '2' })).toEqual([
      'REPLICAS says how many replicas a commit waits for; set DURABILITY to a level that waits for them.',
    ]);
    const levels = durabilitiesOf('redis').filter((level) => level.startsWith('replica'));
    for (const DURABILITY of levels) {
      expect(readConfig({ ...redis, DURABILITY, REPLICAS: '2' }).replicas).toBe(2);
      expect(readConfig({ ...redis, DURABILITY }).replicas).toBe(1);
    }
    expect(readConfig({ ...redis, DURABILITY: 'always' }).replicas).toBeUndefined();
  });

  test.each(['gateway', 'worker'])('a %s needs a journal several nodes use', (role) => {
    expect(mistakes({ ROLE: role })).toEqual([
      `ROLE "${role}" needs a journal that several nodes can use, like redis://host:6379; "lmdb:./data" is for one process.`,
    ]);
    expect(mistakes({}, { role, journal: 'memory:' })[0]).toContain(`--role "${role}" needs`);
    expect(mistakes({ ROLE: role, JOURNAL: 'redis://host' })).toEqual([]);
    expect(mistakes({ ROLE: role, JOURNAL: 'redis+sentinel://a:26379,b:26379/main' })).toEqual([]);
    expect(mistakes({ ROLE: role, JOURNAL: 'redis+cluster://a:7000,b:7001' })).toEqual([]);
    expect(mistakes({ ROLE: role, JOURNAL: 'nowhere' })).toHaveLength(1);
  });

  test('a node may be called what a key may hold', () => {
    const ids = ['a', 'rack-7.b_2', 'x'.repeat(64)];

    expect(ids.map((NODE_ID) => readConfig({ NODE_ID }).nodeId)).toEqual(ids);
    for (const NODE_ID of ['a b', 'a/b', '{a}', 'x'.repeat(65)]) expect(mistakes({ NODE_ID })).toHaveLength(1);
  });

  test('an open address demands a secret', () => {
    expect(mistakes({ HOST: '0.0.0.0' })).toEqual([
      'AUTH_SECRET or OIDC_ISSUER must be set to listen on 0.0.0.0: without them anybody who reaches the port could sign in as anybody.',
    ]);
    expect(mistakes({ HOST: '0.0.0.0', OIDC_ISSUER: 'https://accounts.example.com', OIDC_CLIENT_ID: 'a' })).toEqual([]);
    expect(mistakes({ HOST: '0.0.0.0', AUTH_SECRET: secret })).toEqual([]);
    expect(mistakes({ HOST: '0.0.0.0', AUTH_SECRET: 'short' })).toEqual([
      'AUTH_SECRET must be at least 32 bytes long.',
    ]);
  });

  test('an issuer knows the pages by an id', () => {
    const OIDC_ISSUER = 'https://accounts.example.com';

    expect(mistakes({ OIDC_ISSUER })).toEqual([
      "OIDC_ISSUER needs OIDC_CLIENT_ID: the id under which the issuer knows this server's pages.",
    ]);
    expect(mistakes({}, { oidcIssuer: OIDC_ISSUER })[0]).toMatch(/^--oidc-issuer needs OIDC_CLIENT_ID/);
    expect(mistakes({ OIDC_ISSUER, OIDC_CLIENT_ID: 'a' })).toEqual([]);
  });

  test.each(['OIDC_CLIENT_ID', 'OIDC_AUDIENCE', 'OIDC_SCOPE', 'OIDC_ADMINS'])(
    '%s is nothing without an issuer',
    (name) => {
      expect(mistakes({ [name]: 'openid=x' })).toContainEqual(
        `${name} is for an OpenID Connect issuer; set OIDC_ISSUER too.`,
      );
    },
  );

  test.each([
    'accounts.example.com',
    'http://10.0.0.1',
    'http://127.0.0.1.example.com',
    'https://user:pass@example.com',
    'https://example.com/?a=b',
    'https://example.com/#',
    'ftp://example.com',
  ])('%s is no issuer', (OIDC_ISSUER) => {
    expect(mistakes({ OIDC_ISSUER, OIDC_CLIENT_ID: 'a' })).toHaveLength(1);
  });

  test.each(['http://127.0.0.1:9000', 'http://localhost:9000/realm', 'https://example.com/'])(
    '%s may be one',
    (url) => {
      expect(readConfig({ OIDC_ISSUER: url, OIDC_CLIENT_ID: 'a' }).oidcIssuer).toBe(url);
    },
  );

  test.each(['op@example.com,', 'a b@example.com', 'roles=', '=admin', 'a@b,x'])('%j names no operators', (list) => {
    const found = mistakes({ OIDC_ISSUER: 'https://example.com', OIDC_CLIENT_ID: 'a', OIDC_ADMINS: list });

    expect(found).toHaveLength(1);
  });

  test('loopback is what this machine alone reaches', () => {
    expect(['127.0.0.1', '127.8.9.1', '::1', 'localhost'].filter((host) => !isLoopback(host))).toEqual([]);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com', 'example.com'].filter(isLoopback)).toEqual([]);
  });

  test('reading commands ignore what they do not use', () => {
    expect(readStoreConfig({ PORT: 'x', HOST: '0.0.0.0', JOURNAL: 'lmdb:/tmp/x' }).journal).toBe('lmdb:/tmp/x');
  });

  test('the secret has no flag', () => {
    expect(settings.authSecret).not.toHaveProperty('flag');
  });
});
