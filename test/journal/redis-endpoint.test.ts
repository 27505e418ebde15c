/** The URLs of the Redis adapter. */

import { expect, test } from 'vitest';
import { parseLocation } from '../../src/journal/redis/endpoint.ts';

test('takes the URL of a group of Sentinels apart', () => {
  const location = parseLocation('rediss+sentinel://me:a%40b@one:1,two/prime/3');

  expect(location).toMatchObject({
    kind: 'sentinel',
    name: 'rediss+sentinel://one:1,two/prime/3',
    endpoint: {
      options: {
        sentinels: [
          { host: 'one', port: 1 },
          { host: 'two', port: 26_379 },
        ],
        name: 'prime',
        db: 3,
        username: 'me',
        password: 'a@b',
        tls: {},
        enableTLSForSentinelMode: true,
      },
    },
  });
});

test('takes the URL of a cluster apart', () => {
  const location = parseLocation('redis+cluster://:hush@[::1]:7000,two');

  expect(location).toEqual({
    kind: 'cluster',
    name: 'redis+cluster://[::1]:7000,two',
    cluster: {
      seeds: [
        { host: '::1', port: 7_000 },
        { host: 'two', port: 6_379 },
      ],
      credentials: { password: 'hush' },
    },
  });
});

test('names a server without its password', () => {
  expect(parseLocation('redis://me:hush@one:1/2')).toMatchObject({ kind: 'server', name: 'redis://one:1/2' });
  expect(parseLocation('redis://me:h@sh@one')).toMatchObject({ kind: 'server', name: 'redis://one' });
});

test.for([
  'redis://',
  'redis://one,two',
  'redis+sentinel://one',
  'redis+sentinel://one/',
  'redis+sentinel://one/prime/x',
  'redis+cluster://',
  'redis+cluster://one/1',
  'redis+cluster://one:x',
  'redis+cluster://%:%@one',
  'http://one',
])('refuses %s with a sentence', (url) => {
  expect(() => parseLocation(url)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('looks like redis://') }),
  );
});
