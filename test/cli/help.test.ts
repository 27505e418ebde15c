import { describe, expect, test } from 'vitest';
import { settings } from '../../actors/config.ts';
import { troupe } from './command-line.ts';

const commands = [
  'start',
  'token',
  'actors',
  'show',
  'history',
  'try',
  'operation',
  'graph',
  'verify',
  'rebuild',
  'cluster',
  'shards',
  'drain',
];

describe('troupe', () => {
  test('lists its commands', async () => {
    const { code, out } = await troupe(['--help']);

    expect(code).toBe(0);
    for (const command of commands) expect(out.join('\n')).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  test.each(commands)('%s explains itself with examples', async (command) => {
    const { code, out, err } = await troupe([command, '--help']);

    expect({ code, err }).toEqual({ code: 0, err: [] });
    const text = out.join('\n');
    expect(text).toContain(`Usage: troupe ${command}`);
    expect(text.split('Examples:\n')[1]).toMatch(new RegExp(`^  \\$ .*troupe ${command}`));
    expect(text).toContain('--journal <url>');
  });

  test('a command below another explains itself, too', async () => {
    const { code, out, err } = await troupe(['shards', 'move', '--help']);

    expect({ code, err }).toEqual({ code: 0, err: [] });
    const text = out.join('\n');
    expect(text).toContain('Usage: troupe shards move');
    expect(text.split('Examples:\n')[1]).toMatch(/^ {2}\$ .*troupe shards move/);
    expect(text).toContain('--journal <url>');
  });

  test('start names every setting', async () => {
    const text = (await troupe(['start', '--help'])).out.join('\n');

    for (const { name } of Object.values(settings)) expect(text).toContain(name);
  });

  test('prints its version', async () => {
    expect(await troupe(['--version'])).toEqual({ code: 0, out: [expect.stringMatching(/^\d+\.\d+\.\d+$/)], err: [] });
  });

  test.each([
    [[], 'Usage: troupe'],
    [['dance'], "unknown command 'dance'"],
    [['token'], "missing required argument 'email'"],
    [['show', 'a', 'b'], 'too many arguments'],
    [['actors', '--limit', 'many'], 'It must be a whole number of at least 1.'],
    [['token', 'a@b.c', '--ttl', 'soon'], 'It must look like 90m, 24h or 30d.'],
    [['cluster', '--watch', '0.1'], 'It must be a number of seconds from 0.2 to 3600.'],
    [['cluster', '--hot', '0'], 'It must be a whole number of at least 1.'],
    [['drain'], "missing required argument 'node'"],
    [['shards', 'move'], '(troupe shards move --help says more)'],
    [['shards', 'move', '3'], 'Name the node that takes the shard, or --auto'],
    [['shards', 'move', '3', 'node-1', '--auto'], 'Name the node that takes the shard, or --auto'],
    [['shards', 'move', '3', 'node-1', '--watch'], "unknown option '--watch'"],
    [['verify', '--fast'], "unknown option '--fast'"],
    [['show', 'room', '--journal', 'nowhere'], '--journal must look like lmdb:./data'],
    [['try', 'room'], "missing required argument 'event'"],
    [['try', 'room/x', 'DANCE'], '"DANCE" is not an event; one looks like'],
    [['try', 'room/x', '{}', '--at', '-1'], 'It must be a whole number of at least 0.'],
    [['history', 'room', '--at', '0'], 'It must be a whole number of at least 1.'],
    [['graph', 'ghost'], 'There are no actors of type "ghost"; there are user, room, message'],
    [['graph', 'room', '--at', '1'], '--at is for one actor'],
    [['graph', 'room', '--format', 'png'], 'Allowed choices are svg, mermaid, json.'],
    [['token', 'alice'], '"alice" is not an email address'],
  ])('typing %j wrongly exits with 2', async (args, sentence) => {
    const { code, out, err } = await troupe(args);

    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(err.join('\n')).toContain(sentence);
  });

  test('start says every configuration mistake', async () => {
    const { code, err } = await troupe(['start', '--port', 'x'], { SHARDS: 'y' });

    expect(code).toBe(2);
    expect(err).toEqual([
      'SHARDS must be a whole number from 1 to 16384, not "y".',
      '--port must be a whole number from 0 to 65535, not "x".',
    ]);
  });
});
