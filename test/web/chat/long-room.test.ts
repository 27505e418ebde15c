/** A room with many hundred messages in Chromium: reading back in it, and what comes meanwhile. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MessageDto, RoomDto } from '../../../actors/contract.ts';
import { poll } from '../../e2e/deadline.ts';
import type { Answer } from '../../e2e/http-client.ts';
import type { Person } from '../../e2e/person.ts';
import { World } from '../browser.ts';
import { enter, member, openRoom, sees, showsUnread, texts } from './people.ts';

const messagesCount = 460;
const atOnce = 20;
const begin = 'This is where it begins.';

let world: World;
let writer: Person;
let reader: Person;
let room: RoomDto;

beforeAll(async () => {
  world = await World.start();
  writer = await member(world, 'Wanda');
  reader = await member(world, 'Rosa');
  room = await writer.room(reader);
  for (let at = 0; at < messagesCount; at += atOnce) {
    // Lines of different heights, so that a place is not kept by chance.
    const lines = (i: number): string => `line ${i}${'\nand more'.repeat(i % 4)}`;
    await Promise.all(Array.from({ length: atOnce }, (_, i) => writer.write(room, lines(at + i))));
  }
}, 120_000);
afterAll(async () => {
  await world?.stop();
});

/** Everything in the room, in its order. */
async function written(): Promise<readonly string[]> {
  const found: string[] = [];
  let path: string | undefined = `/v1/rooms/${room.id}/messages?limit=200`;
  while (path !== undefined) {
    const answer: Answer<readonly MessageDto[]> = await reader.call('GET', path);
    found.unshift(...answer.body.map(({ content }) => content));
    path = /<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return found;
}

/** How many messages are there once there are more than the room's last one. */
function pageRead(page: Page): Promise<number> {
  return poll(async () => {
    const count = await page.locator('[data-message]').count();
    return count > 1 ? count : undefined;
  }, 'no page is read');
}

async function openLongRoom(height: number): Promise<Page> {
  const { page } = await world.open('/', { viewport: { width: 1_000, height } });
  await enter(page, 'Rosa');
  await openRoom(page, 'Wanda');
  await pageRead(page);
  return page;
}

/** How far, at most, the first message in sight moves from one frame to the next while older ones come before it. */
function readBack(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const box = document.querySelector('.messages') as HTMLElement;
    const count = (): number => box.querySelectorAll('[data-message]').length;
    const frame = (): Promise<unknown> => new Promise(requestAnimationFrame);
    const before = count();
    box.scrollTop = 300;
    const edge = box.getBoundingClientRect().top;
    const first = [...box.querySelectorAll('[data-message]')].find((one) => one.getBoundingClientRect().bottom > edge);
    const topOf = (): number => (first as Element).getBoundingClientRect().top;
    const top = topOf();
    let moved = 0;
    // Some frames more, since what is drawn afterwards might still push it.
    for (let more = 10, waits = 0; more > 0 && waits < 3_000; waits++) {
      await frame();
      moved = Math.max(moved, Math.abs(topOf() - top));
      if (count() > before) more--;
    }
    return count() > before ? moved : Number.POSITIVE_INFINITY;
  });
}

test('reading back slowly, nothing moves under the eyes', async () => {
  const page = await openLongRoom(700);
  const expected = await written();

  const moves: number[] = [];
  while (!(await page.getByText(begin).isVisible())) moves.push(await readBack(page));

  expect(moves.length).toBeGreaterThan(5);
  expect(Math.max(...moves)).toBeLessThanOrEqual(1);
  expect(await texts(page)).toEqual(expected);
}, 120_000);

test('reading back quickly, on a tall screen, leaves no gaps and no repeats', async () => {
  const page = await openLongRoom(2_400);

  await poll(async () => {
    await page.evaluate(() => document.querySelector('.messages')?.scrollTo(0, 0));
    return (await page.getByText(begin).isVisible()) || undefined;
  }, 'the beginning is not reached');

  expect(await texts(page)).toEqual(await written());
  const isPageStill = await page.evaluate(() => document.documentElement.scrollHeight <= window.innerHeight);
  expect(isPageStill).toBe(true);
}, 120_000);

test('what comes while one reads older messages waits below', async () => {
  const page = await openLongRoom(700);
  await readBack(page);
  const topOfFirst = (): Promise<number> =>
    page
      .locator('[data-message]')
      .first()
      .evaluate((one) => one.getBoundingClientRect().top);
  const top = await topOfFirst();

  for (const text of ['news one', 'news two', 'news three']) await writer.write(room, text);
  const button = page.locator('.messages-frame').getByRole('button', { name: '3 unread messages' });
  await button.waitFor();
  await showsUnread(page, 'Wanda', 3);
  expect(await topOfFirst()).toBeCloseTo(top, 0);
  await button.click();
  await showsUnread(page, 'Wanda', 0);
  await poll(async () => {
    const [position] = await reader.get<readonly { readonly unread: number }[]>('/v1/unread');
    return position?.unread === 0 || undefined;
  }, 'the end is not read');
  await writer.write(room, 'the very last');

  await sees(page, 'the very last');
  await poll(async () => {
    const box = page.locator('.messages');
    const isEnd = await box.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 2);
    return isEnd || undefined;
  }, 'the end is not in sight');
}, 120_000);

test('older messages that could not be read are read on demand', async () => {
  const { page } = await world.open('/', { viewport: { width: 1_000, height: 700 } });
  let isBroken = true;
  await page.routeWebSocket(/connection\/websocket/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) =>
      server.send(isBroken ? String(frame).replaceAll('"before":"', '"before":"AAAA') : frame),
    );
  });
  await page.reload();
  await enter(page, 'Rosa');
  await openRoom(page, 'Wanda');
  const onePage = await pageRead(page);

  await page.evaluate(() => document.querySelector('.messages')?.scrollTo(0, 0));
  await page.getByText('This could not be loaded.').waitFor();
  isBroken = false;
  await page.getByRole('button', { name: 'Try again' }).click();

  await poll(async () => (await pageRead(page)) > onePage || undefined, 'nothing older comes');
}, 120_000);
