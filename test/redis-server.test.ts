import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { askServer } from './redis-sentinel.ts';
import { RedisServer } from './redis-server.ts';

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.destroy());
    socket.once('close', (failed) => resolve(!failed));
    socket.once('error', () => {});
  });
}

/** The processes of a group that still run; a dead one that nobody has asked about does not count. */
function running(group: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      // pid (name) state parent group
      const [state, , of] = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return of === group && state !== 'Z';
    } catch {
      return false;
    }
  });
}

test('keeps its data over kill -9 and restart', async () => {
  const server = await RedisServer.start({ appendfsync: 'always' });
  const say = (command: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(`${command}\r\n`));
      socket.once('data', (data) => resolve(String(data)));
      socket.once('data', () => socket.destroy());
    });

  await say('SET color green');
  await server.kill();
  expect(await answers(server.port)).toBe(false);
  await server.restart();

  expect(await say('GET color')).toContain('green');
  await server.dispose();
  expect(await answers(server.port)).toBe(false);
});

test('a fork that saves ends with its server, and nothing of it is left', async () => {
  // A second per key.
  const server = await RedisServer.start({ settings: { 'rdb-key-save-delay': '1000000' } });
  const group = String(/process_id:(\d+)/.exec(String(await askServer(server, 'INFO', 'server')))?.[1]);
  const [, folder] = (await askServer(server, 'CONFIG', 'GET', 'dir')) as [string, string];
  await askServer(server, 'MSET', ...Array.from({ length: 120 }, (_, i) => `${i}`));
  await askServer(server, 'BGSAVE');
  await expect.poll(() => running(group)).toHaveLength(2);
  // It would go by itself soon, when it tells its parent how far it is.
  for (const pid of running(group)) if (pid !== group) process.kill(Number(pid), 'SIGSTOP');

  await server.dispose();

  await expect.poll(() => running(group)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});

test('a server dies with the process that started it', async () => {
  const script = `
    const { RedisServer } = await import(${JSON.stringify(new URL('./redis-server.ts', import.meta.url).href)});
    console.log((await RedisServer.start()).port);
    setInterval(() => {}, 1_000);`;
  const parent = spawn(process.execPath, ['--import', 'tsx/esm', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const port = Number(String(line));
  expect(await answers(port)).toBe(true);

  parent.kill('SIGKILL');

  await expect.poll(() => answers(port), { timeout: 10_000 }).toBe(false);
});

test('does not take another server on its port for its own', async () => {
  const server = await RedisServer.start();
  await server.kill();
  const settings = ['--port', String(server.port), '--bind', '127.0.0.1', '--save', ''];
  const other = spawn('redis-server', settings, { stdio: 'ignore' });
  onTestFinished(async () => {
    other.kill('SIGKILL');
    await server.dispose();
  });
  while (!(await answers(server.port)));

  const again = server.restart();

  await expect(again).rejects.toThrow('Address already in use');
});
