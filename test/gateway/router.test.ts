import { describe, expect, test } from 'vitest';
import { Router } from '../../src/gateway/router.ts';

const route = (method: string, path: string) => ({ method, path });
const routes = [
  route('GET', '/v1/users/all'),
  route('GET', '/v1/users/{userId}'),
  route('PUT', '/v1/rooms/{roomId}/members'),
  route('GET', '/v1/rooms/{roomId}/messages'),
  route('POST', '/v1/rooms'),
  route('GET', '/v1/rooms'),
];
const router = new Router(routes);

describe('a router', () => {
  test('a literal segment wins over a parameter', () => {
    expect(router.match('GET', '/v1/users/all')).toMatchObject({ kind: 'found', route: routes[0], params: {} });
    expect(router.match('GET', '/v1/users/alle')).toMatchObject({ route: routes[1], params: { userId: 'alle' } });
  });

  test('parameters come out decoded', () => {
    expect(router.match('PUT', '/v1/rooms/a%2Fb/members')).toMatchObject({ params: { roomId: 'a/b' } });
    expect(router.match('PUT', '/v1/rooms/%zz/members')).toMatchObject({ params: { roomId: '%zz' } });
  });

  test('another method names the allowed ones', () => {
    expect(router.match('DELETE', '/v1/rooms')).toEqual({
      kind: 'other-method',
      allow: ['POST', 'GET', 'HEAD', 'OPTIONS'],
    });
    expect(router.match('GET', '/v1/rooms/x/members')).toEqual({ kind: 'other-method', allow: ['PUT', 'OPTIONS'] });
  });

  test('HEAD goes where GET goes', () => {
    expect(router.match('HEAD', '/v1/rooms')).toMatchObject({ kind: 'found', route: routes[5] });
  });

  test.each(['/', '/v1', '/v1/rooms/', '/v1/rooms//messages', '/v1/rooms/x/messages/y', '/v2/rooms', ''])(
    'nothing is at %j',
    (path) => {
      expect(router.match('GET', path)).toEqual({ kind: 'none' });
    },
  );
});
