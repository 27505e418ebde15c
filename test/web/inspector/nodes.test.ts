/**
 * The inspector of a cluster, as an operator needs it in an incident: actors that live at another node, dead letters,
 * histories from the archive and very long ones, searches that go on, and a node that dies while it is looked at. The
 * tests stand on each other's traces only where that says so; the last one kills the other node.
 */

import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { room, sagas } from '../../../actors/chat.ts';
import type { Actor, HistoryPage, Overview } from '../../../src/inspect/answers.ts';
import { poll } from '../../e2e/deadline.ts';
import { overhang, seriousFindings } from '../axe.ts';
import { isAt, titled } from '../browser.ts';
import { isLit, waitMs } from './lit.ts';
import { type Nodes, openNodes, writeManyMessages } from './nodes-stage.ts';
import { desktop, phone } from './stage.ts';

let nodes: Nodes;

beforeAll(async () => {
  nodes = await openNodes();
}, 180_000);

afterAll(() => nodes?.close());

const nowhere = '00000000-0000-3000-8000-000000000000';

function sliderMax(page: Page): Promise<string | null> {
  return page.getByRole('slider').getAttribute('max');
}

function tell(id: string, event: object): Promise<unknown> {
  return nodes.near.server.system.actor(room, id).tell(event as never);
}

/** What the search found. */
function optionsOf(page: Page): Locator {
  return page.getByRole('listbox', { name: 'Found' }).getByRole('option');
}

/** Goes to the search by keyboard; before the page is there nobody hears of a key. */
async function search(page: Page): Promise<void> {
  await page.getByText('all owned').waitFor();
  await press(page, '/');
  await optionsOf(page).filter({ hasText: 'absent, creating, open' }).waitFor();
}

/** All at once: what is found for half of a word would be answered by the keys that follow. */
async function type(page: Page, text: string): Promise<void> {
  await page.keyboard.insertText(text);
}

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

test('an actor of another node is lit as it moves', async () => {
  const { page, complaints, close } = await nodes.open(`?actor=room/${nodes.farRoom}`);
  await page.getByText(/shard \d at far$/).waitFor();
  await isLit(page, 'room.open');
  await page.locator('.connection.is-live').waitFor();
  await nodes.heard();

  await nodes.anna.message(nodes.farRoom, 'to the other side');

  // The log has nothing but what the other node relays.
  await page.locator('.lines').getByText('MESSAGE_CREATE_COMPLETED').waitFor();
  await expect.poll(() => sliderMax(page), { timeout: waitMs }).toBe('4');
  await page.locator('.event-name', { hasText: 'MESSAGE_CREATE_COMPLETED' }).waitFor();
  await page.locator('.is-taken[data-edge-id^="room.open:"]').first().waitFor();
  await titled(page, `room ${nodes.farRoom.slice(0, 8)} · Troupe inspector`);
  expect(complaints).toEqual([]);
  await close();
});

test('a refused event says which guard was against it', async () => {
  const { page, complaints, close } = await nodes.open('');
  await page.locator('.connection.is-live').waitFor();
  await page.getByText('all owned').waitFor();
  await nodes.heard();

  await tell(nodes.farRoom, {
    type: 'MESSAGE_CREATE_COMPLETED',
    operationId: nowhere,
    payload: { messageId: nowhere },
  });
  await page.getByRole('link', { name: 'why?' }).click();

  await page.getByText('It would be refused').waitFor();
  await page.locator('.candidates code', { hasText: 'isPending' }).waitFor();
  await page.locator('.is-refused').first().waitFor();
  const { version } = await nodes.ask<Actor>(`actors/room/${nodes.farRoom}`);
  await isAt(page, `${nodes.near.base}/inspector?actor=room/${nodes.farRoom}&seq=${version}`);
  expect(complaints).toEqual([]);
  await close();
});

test('a dead letter is shown with its reason, and tried again', async () => {
  const { page, complaints, close } = await nodes.open('');
  await page.getByText('No dead letters.').waitFor();

  // Without what the guard looks at.
  await expect(tell(nowhere, { type: 'ROOM_CREATE_INITIATED', operationId: nowhere })).rejects.toThrow();

  const letters = page.getByRole('region', { name: 'Dead letters' }).last();
  await letters.getByText('1 MACHINE_FAILED').waitFor();
  const tile = page.locator('.tile.bad', { hasText: 'Dead letters' });
  expect(await tile.textContent()).toBe('Dead letters1read them');
  expect(await letters.locator('.letter').textContent()).toMatch(/approvesCreation|companionUserId|undefined/);
  await letters.getByRole('link', { name: 'Try it on a copy' }).click();
  await page.getByText('It would be refused').waitFor();
  await page.locator('.candidates', { hasText: 'approvesCreation threw' }).waitFor();
  await isLit(page, 'room.absent');
  expect(complaints).toEqual([]);
  await close();
});

test('a search goes on by keyboard, page by page', async () => {
  await Promise.all(Array.from({ length: 46 }, (_, n) => nodes.anna.message(nodes.farRoom, `message ${n}`)));
  const { page, complaints, close } = await nodes.open('');
  const options = optionsOf(page);

  await search(page);
  await type(page, 'message ');
  const more = options.filter({ hasText: 'More…' });
  await page.locator('.search-note').first().waitFor();
  const first = (await options.count()) - 1;
  await press(page, 'ArrowUp', 'Enter');
  await expect.poll(() => options.count(), { timeout: waitMs }).toBeGreaterThan(first + 1);

  const second = (await options.count()) - 1;
  const titles = await page.locator('.search-title').allTextContents();
  expect([new Set(titles).size, [...titles].sort()]).toEqual([second, titles]);
  // It stands at the first of those that came.
  await more.waitFor();
  expect(await page.locator('[aria-selected="true"] .search-title').textContent()).toBe(titles[first]);
  await press(page, 'Enter');
  await page.getByRole('heading', { name: 'message', level: 1 }).waitFor();
  await isAt(page, `${nodes.near.base}/inspector?actor=message/${titles[first]}`);
  await page.locator('#main:focus').waitFor();
  expect(complaints).toEqual([]);
  await close();
});

test('a search for what is rare asks whether to look further', async () => {
  const operationId = nodes.nearId();
  await nodes.near.server.system.actor(sagas.ROOM_CREATE, operationId).tell({
    type: 'ROOM_CREATE_START',
    operationId,
    responsibleService: 'SAGA_SERVICE',
    responsibleUserId: nodes.anna.id,
    payload: { roomId: nodes.nearId(), companionUserId: nowhere, at: 1, fingerprint: 'of the test' },
  });
  await poll(async () => {
    const { value } = await nodes.ask<Actor>(`actors/ROOM_CREATE/${operationId}`);
    return value === 'ERROR' || undefined;
  }, `${operationId} does not fail`);
  const { page, close } = await nodes.open('');

  await search(page);
  await type(page, 'ERROR');
  await page.locator('.search-sentence', { hasText: 'Nothing found among the first actors.' }).waitFor();
  const found = optionsOf(page).filter({ hasText: operationId });
  expect(await optionsOf(page).allTextContents()).toEqual(['Look further…']);
  await press(page, 'Enter');
  await found.waitFor();

  await press(page, 'Escape');
  expect(await found.count()).toBe(0);
  await close();
});

test('an id is first what it is', async () => {
  const { body } = await nodes.anna.command('POST', '/v1/messages', { roomId: nodes.farRoom, content: 'mine' });
  const { page, close } = await nodes.open('');
  const kinds = page.locator('.search-result .search-kind');

  await page.getByRole('combobox', { name: 'Find' }).fill(nodes.farRoom);
  await expect.poll(() => kinds.allTextContents(), { timeout: waitMs }).toEqual(['room', 'operation']);
  await page.getByRole('combobox', { name: 'Find' }).fill(body.operationId);
  await expect.poll(() => kinds.allTextContents(), { timeout: waitMs }).toEqual(['operation', 'MESSAGE_CREATE']);
  await close();
});

test('a history of thousands of steps is walked at once', async () => {
  const roomId = await nodes.anna.room(nodes.borys);
  await writeManyMessages(nodes, roomId, 1_500);
  const { page, complaints, close } = await nodes.open(`?actor=room/${roomId}&seq=3002`);
  const slider = page.getByRole('slider');
  const context = page.locator('.context .json');
  const messages = async (): Promise<number> =>
    (JSON.parse((await context.textContent()) || '{}') as { messages?: number }).messages ?? -1;
  await page.getByRole('button', { name: 'Whole', exact: true }).click();
  await expect.poll(messages, { timeout: waitMs }).toBe(1_500);
  let [atOnce, most] = [0, 0];
  const isOfSteps = (url: string): boolean => url.includes('/steps?');
  page.on('request', (request) => {
    if (!isOfSteps(request.url())) return;
    atOnce += 1;
    most = Math.max(most, atOnce);
  });
  page.on('requestfinished', (request) => {
    if (isOfSteps(request.url())) atOnce -= 1;
  });

  await page.getByLabel('Step', { exact: true }).fill('1002');
  await press(page, 'Enter');
  await expect.poll(messages, { timeout: waitMs }).toBe(500);
  await page.getByText('1001–1100 of 3002').waitFor();
  await page.getByRole('button', { name: 'Later' }).click();
  await page.locator('.history-row[aria-current]', { hasText: '1101' }).waitFor();
  // As somebody who drags it to and fro: another place with each frame.
  await slider.evaluate(async (input: HTMLInputElement) => {
    for (let n = 1; n <= 60; n += 1) {
      input.value = String(n === 60 ? 2_402 : (n * 1_237) % 3_000);
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise(requestAnimationFrame);
    }
  });
  await expect.poll(messages, { timeout: waitMs }).toBe(1_200);

  expect([most, await slider.inputValue()]).toEqual([1, '2402']);
  expect(await page.locator('.history-row').count()).toBe(100);
  await slider.focus();
  await press(page, 'Home');
  await isLit(page, 'room.absent');
  await press(page, 'End');
  await expect.poll(messages, { timeout: waitMs }).toBe(1_500);
  // A number of four figures takes nothing away from the buttons of a phone.
  await press(page, 'ArrowLeft');
  await page.setViewportSize(phone);
  for (const name of ['First', 'Play', 'Forward', 'Last', 'Follow']) {
    await page.getByRole('button', { name }).click({ trial: true, timeout: waitMs });
  }
  const cut = page.locator('.step-number').evaluate((input) => input.scrollWidth - input.clientWidth);
  expect([await cut, await overhang(page)]).toEqual([0, 0]);
  expect(complaints).toEqual([]);
  await close();
});

test('a retired actor is seen as it was, from the archive', async () => {
  const { body } = await nodes.anna.command('POST', '/v1/messages', { roomId: nodes.farRoom, content: 'for later' });
  const address = `MESSAGE_CREATE/${body.operationId}`;
  // Retiring waits until as many entries as a segment has at least are due: those of the message alone are not so many.
  for (let n = 0; n < 2; n += 1) await nodes.anna.message(nodes.farRoom, 'so that it is due');
  const retired = await poll(
    async () => (await nodes.ask<Actor>(`actors/${address}`)).retired,
    `${address} is not retired`,
    60_000,
  );
  const { journal } = nodes.near.server.system;
  const { steps, shard } = await nodes.ask<HistoryPage>(`actors/${address}/steps`);
  await poll(async () => {
    // So many others follow that nothing of it is left in Redis.
    await nodes.anna.message(nodes.farRoom, 'one more');
    return (await journal.readShard(shard)).first > steps.at(-1)!.shardSeq ? true : undefined;
  }, `${address} is not trimmed`);

  const { page, complaints, close } = await nodes.open(`?actor=${address}`);

  await page.getByText(`It was retired after step ${retired}, reduced to its outcome.`).waitFor();
  await isLit(page, 'MESSAGE_CREATE.COMPLETED');
  await page.getByRole('button', { name: 'Whole', exact: true }).click();
  await page.locator('.context .json', { hasText: '"parties": [' }).waitFor();
  await page.getByRole('button', { name: 'First' }).click();
  await isLit(page, 'MESSAGE_CREATE.READY');
  await press(page, 'Tab');
  await page.getByRole('button', { name: 'Forward' }).click();
  await page.locator('.event-name', { hasText: 'MESSAGE_CREATE_START' }).waitFor();
  await isLit(page, 'MESSAGE_CREATE.INITIATED');
  await page.goto(`${nodes.near.base}/inspector?operation=${body.operationId}`);
  await page.getByText('completed', { exact: true }).waitFor();
  expect(complaints).toEqual([]);
  await close();
});

test('everything of a step is reached by keyboard alone', async () => {
  const { page, close } = await nodes.open(`?actor=room/${nodes.farRoom}&seq=2`);
  await isLit(page, 'room.open');
  const reached: string[] = [];
  for (let stops = 0; stops < 40 && reached.at(-1) !== 'typed-event'; stops += 1) {
    await press(page, 'Tab');
    const { name, isSeen } = await page.evaluate(() => {
      const focused = document.activeElement as HTMLElement;
      const { outlineStyle } = getComputedStyle(focused);
      const { top, bottom } = focused.getBoundingClientRect();
      return {
        name: focused.getAttribute('aria-label') ?? (focused.id || (focused.textContent ?? '')),
        isSeen: outlineStyle !== 'none' && bottom > 0 && top < innerHeight,
      };
    });
    expect([name, isSeen]).toEqual([name, true]);
    reached.push(name);
  }
  const wanted = ['Find an actor or an operation', 'Back', 'Position in the history', 'Step', 'typed-event'];
  expect(reached).toEqual(expect.arrayContaining(wanted));

  await page.keyboard.type('ROOM_CREATE_COMPLETED');
  await press(page, 'Control+Enter');
  await page.getByText('It would be refused').waitFor();
  await page.locator('.history-row[aria-current]').focus();
  await press(page, 'ArrowUp');
  await isLit(page, 'room.creating');
  await page.locator('.history-row:focus', { hasText: /^1ROOM_CREATE_INITIATED/ }).waitFor();
  await press(page, 'ArrowDown', 'ArrowDown');
  await page.locator('.event-name', { hasText: 'MESSAGE_CREATE_INITIATED' }).waitFor();
  await close();
});

test('a node that dies while it is watched is said to be gone', async () => {
  const watched = await nodes.open('');
  const actor = await nodes.open(`?actor=room/${nodes.farRoom}`);
  await watched.page.getByRole('region', { name: 'Nodes' }).getByText('far').first().waitFor();
  await actor.page.getByText(/ at far$/).waitFor();

  await nodes.far.kill();

  await watched.page.locator('.gone', { hasText: 'far' }).waitFor({ timeout: 60_000 });
  await watched.page.getByText('alive, 1 gone').waitFor();
  await watched.page.getByText('all owned').waitFor({ timeout: 60_000 });
  await actor.page.getByText(/ at near · /).waitFor({ timeout: 60_000 });
  const before = Number(await sliderMax(actor.page));
  await nodes.anna.message(nodes.farRoom, 'still there');
  await expect.poll(async () => Number(await sliderMax(actor.page)), { timeout: waitMs }).toBe(before + 2);
  await actor.page.locator('.lines').getByText('MESSAGE_CREATE_COMPLETED').waitFor();
  await poll(async () => {
    const { shards } = await nodes.ask<Overview>('overview');
    return shards.every(({ owner }) => owner === 'near') || undefined;
  }, 'Not all shards are at near');
  expect([...watched.complaints, ...actor.complaints]).toEqual([]);
  await watched.close();
  await actor.close();
});

test.each([
  ['light', desktop],
  ['dark', desktop],
  ['light', phone],
  ['dark', phone],
] as const)('axe finds nothing serious after an incident, %s at %o', async (look, viewport) => {
  const { page, complaints, close } = await nodes.open('', { look, viewport });
  await page.locator('.letter').first().waitFor();
  await search(page);
  await type(page, 'message ');
  await page.locator('.search-note').first().waitFor();

  expect(await seriousFindings(page)).toEqual([]);
  expect(await overhang(page)).toBeLessThanOrEqual(0);
  await press(page, 'Escape');
  await page.locator('.shard').nth(3).focus();
  await page.locator('.letter').getByRole('link', { name: 'Try it on a copy' }).click();
  await page.getByText('It would be refused').waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  expect(await overhang(page)).toBeLessThanOrEqual(0);
  expect(complaints).toEqual([]);
  await close();
});
