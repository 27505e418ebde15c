/** The page /inspector in a real browser, on a real chat. */

import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatActors, sagas } from '../../../actors/chat.ts';
import { JournalReader } from '../../../src/journal/reader.ts';
import { overhang, seriousFindings } from '../axe.ts';
import { isAt } from '../browser.ts';
import { isLit, waitMs } from './lit.ts';
import { desktop, openPage, openStage, phone, type Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
}, 120_000);

afterAll(() => stage?.close());

const nobody = '00000000-0000-3000-8000-000000000000';
async function roomHistory(): Promise<Awaited<ReturnType<JournalReader['history']>>> {
  return new JournalReader(stage.chat.server.system.journal, chatActors).history(`room/${stage.roomId}`, 1_000);
}

/** From here on the states that are lit are written down, in their order. */
async function writeDownStates(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    const look = (): void => {
      const element = document.querySelector('.state.is-active:not(.is-outer)');
      const id = element?.getAttribute('data-state-id') ?? '';
      if (id !== '' && seen.at(-1) !== id) seen.push(id);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, attributes: true, childList: true });
  });
}

function seenStates(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
}

/** The saga of a room, as the gateway would start it, under an id that is watched already. */
async function beginRoom(saga: string): Promise<void> {
  const operationId = saga.split('/')[1] as string;
  await stage.chat.server.system.actor(sagas.ROOM_CREATE, operationId).tell({
    type: 'ROOM_CREATE_START',
    operationId,
    responsibleService: 'SAGA_SERVICE',
    responsibleUserId: stage.anna.id,
    payload: { roomId: randomUUID(), companionUserId: stage.borys.id, at: 1, fingerprint: 'of the test' },
  });
}

describe('who may come in', () => {
  test('an operator signs in with an email in development mode', async () => {
    const { page, complaints, close } = await openPage(stage.browser, `${stage.chat.base}/inspector`);

    await page.getByLabel('Email').fill('op@example.com');
    await page.getByRole('button', { name: 'Sign in' }).click();

    await page.getByText('all owned').waitFor();
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('token')))).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('somebody who is no operator sees nothing', async () => {
    const url = `${stage.chat.base}/inspector?actor=room/${stage.roomId}`;
    const { page, close } = await openPage(stage.browser, url, {}, stage.anna.token);

    await page.getByText('anna@example.com is not an operator').waitFor();
    expect(await page.getByRole('heading', { name: 'Statechart' }).count()).toBe(0);
    await close();
  });

  test('a token that the server refuses leads back to the door', async () => {
    // Says that it is an operator's, and is signed by nobody.
    const payload = Buffer.from(JSON.stringify({ email: 'eve@example.com', role: 'admin' })).toString('base64url');
    const forged = `${stage.anna.token.split('.')[0]}.${payload}.AAAA`;
    const { page, close } = await openPage(stage.browser, `${stage.chat.base}/inspector`, {}, forged);

    await page.getByText('malformed, signed by somebody else').waitFor();
    expect(await page.getByText('all owned').count()).toBe(0);
    await close();
  });
});

describe('following', () => {
  test('states of a live saga are lit as it runs', async () => {
    const saga = `ROOM_CREATE/8f14e45f-0000-4000-8000-000000000001`;
    const { page, complaints, close } = await stage.open(`?actor=${saga}`, { isStill: false });
    await page.getByText('Nothing has happened to this actor').waitFor();
    await page.locator('.troupe-chart').waitFor();
    await page.locator('.connection.is-live').waitFor();
    await writeDownStates(page);

    await beginRoom(saga);

    await isLit(page, 'ROOM_CREATE.COMPLETED');
    const seen = await seenStates(page);
    expect(seen).toContain('ROOM_CREATE.INITIATED');
    expect(seen).toContain('ROOM_CREATE.IN_APPROVING');
    await page.locator('.lines').getByText('ROOM_CREATE_APPROVED').first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test('no state is passed over while its step is read', async () => {
    const saga = 'ROOM_CREATE/8f14e45f-0000-4000-8000-000000000003';
    const { page, close } = await stage.open(`?actor=${saga}`);
    await page.getByText('Nothing has happened to this actor').waitFor();
    await isLit(page, 'ROOM_CREATE.READY');
    await writeDownStates(page);
    await page.clock.install();
    let answer = (): void => undefined;
    const isAnswered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/steps?*', async (route) => {
      await isAnswered;
      await route.continue();
    });

    await Promise.all([page.waitForRequest('**/steps?*'), beginRoom(saga)]);
    await page.clock.runFor(10_000);
    answer();

    await isLit(page, 'ROOM_CREATE.COMPLETED');
    expect(await seenStates(page)).toContain('ROOM_CREATE.INITIATED');
    await close();
  });

  test('an operation appears as a sequence with its times', async () => {
    const failed = await stage.anna.command('POST', '/v1/rooms', { companionUserId: nobody });
    const { operationId } = failed.body as unknown as { operationId: string };
    const { page, complaints, close } = await stage.open(`?operation=${operationId}`);

    await page.getByRole('heading', { name: 'ROOM_CREATE' }).waitFor();
    await page.getByText('failed, undone: USER_NOT_FOUND').waitFor();
    expect(await page.locator('.arrow-code').first().textContent()).toBe('USER_NOT_FOUND');
    // In one look: more of them come while the failure is undone.
    const arrows = await page
      .locator('.arrow')
      .evaluateAll((all) =>
        all.map((one) => ['.arrow-label', '.arrow-time'].map((part) => one.querySelector(part)?.textContent)),
      );
    const labels = arrows.map(([label]) => label);
    expect(labels[0]).toBe('ROOM_CREATE_START');
    expect(labels).toContain('ROOM_CREATE_REJECTED');
    expect(arrows.filter(([, time]) => !time)).toEqual([]);
    await page.getByRole('table').getByText('ROOM_CREATE_START').click();
    await isLit(page, 'ROOM_CREATE.INITIATED');
    await isAt(page, `${stage.chat.base}/inspector?actor=ROOM_CREATE/${operationId}&seq=1`);
    expect(complaints).toEqual([]);
    await close();
  });

  test('the log shows, filters and pauses what happens', async () => {
    const { page, close } = await stage.open('');
    await page.getByText('all owned').waitFor();
    await page.locator('.connection.is-live').waitFor();

    await stage.anna.message(stage.roomId, 'one more');
    const lines = page.locator('.lines tbody tr');
    await lines.first().waitFor();
    await page.getByLabel('Filter the log').fill('room MESSAGE_CREATE_COMPLETED');
    await expect.poll(() => lines.count(), { timeout: waitMs }).toBe(1);
    await page.getByRole('button', { name: 'Pause' }).click();
    await stage.anna.message(stage.roomId, 'while it is paused');

    await page.getByRole('button', { name: /Resume \(\d+\)/ }).waitFor();
    expect(await lines.count()).toBe(1);
    await page.getByRole('button', { name: /Resume/ }).click();
    await expect.poll(() => lines.count(), { timeout: waitMs }).toBe(2);
    await close();
  });
});

describe('time travel', () => {
  test('slider, chart and context agree with the history', async () => {
    const history = await roomHistory();
    const { page, complaints, close } = await stage.open(`?actor=room/${stage.roomId}`);
    const slider = page.getByRole('slider');
    await expect.poll(() => slider.getAttribute('max'), { timeout: waitMs }).toBe(String(history.length));
    await isLit(page, 'room.open');

    await page.getByRole('button', { name: 'First' }).click();
    await isLit(page, 'room.absent');
    await slider.focus();
    for (const [step, state] of [
      [1, 'room.creating'],
      [2, 'room.open'],
    ] as const) {
      await page.keyboard.press('ArrowRight');
      await isLit(page, state);
      const { type } = history[step - 1]!.event;
      await page
        .locator('.event-name')
        .and(page.getByText(type, { exact: true }))
        .waitFor();
    }

    expect(await slider.inputValue()).toBe('2');
    expect(await page.locator('.edge.is-taken').getAttribute('data-source')).toBe('room.creating');
    const changed = await page.locator('.context .change-path').allTextContents();
    expect(changed).toContain('room');
    expect(changed).toContain('pending[0]');
    await isAt(page, `${stage.chat.base}/inspector?actor=room/${stage.roomId}&seq=2`);
    await page.getByRole('button', { name: 'Whole', exact: true }).click();
    const context = JSON.parse((await page.locator('.context .json').textContent()) ?? '') as { messages: number };
    expect(context.messages).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test('it plays from the beginning to the end', async () => {
    const { page, close } = await stage.open(`?actor=ROOM_CREATE/8f14e45f-0000-4000-8000-000000000001&seq=0`);
    await isLit(page, 'ROOM_CREATE.READY');

    await page.getByRole('button', { name: 'Play' }).click();

    await isLit(page, 'ROOM_CREATE.COMPLETED');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    await close();
  });

  test('a link leads to a step, also after a reload', async () => {
    const { page, close } = await stage.open(`?actor=room/${stage.roomId}&seq=1`);
    await isLit(page, 'room.creating');

    await page.reload();

    await isLit(page, 'room.creating');
    expect(await page.getByRole('slider').inputValue()).toBe('1');
    await close();
  });

  test('a typed event is refused with its guard named', async () => {
    const { page, close } = await stage.open(`?actor=room/${stage.roomId}&seq=2`);
    await isLit(page, 'room.open');
    const event = { type: 'MESSAGE_CREATE_COMPLETED', operationId: nobody, payload: { messageId: nobody } };

    await page.getByLabel('An event for the machine').fill(JSON.stringify(event));
    await page.getByRole('button', { name: 'Try it on a copy' }).click();

    await page.getByText('It would be refused').waitFor();
    await page.locator('.candidates code', { hasText: 'isPending' }).waitFor();
    await page.locator('.is-refused').first().waitFor();
    await page.getByLabel('An event for the machine').fill('{"type": ');
    await page.getByRole('button', { name: 'Try it on a copy' }).click();
    await page.getByText('This is not JSON: look at line 1').waitFor();
    await close();
  });

  test('a typed event that is accepted changes nothing', async () => {
    const before = (await roomHistory()).length;
    const { page, close } = await stage.open(`?actor=room/${stage.roomId}&seq=1`);
    await isLit(page, 'room.creating');

    // The machine's own event, as it came at the next step.
    await page.getByLabel('Begin with an event of the machine').selectOption('ROOM_CREATE_COMPLETED');
    const example = JSON.parse(await page.getByLabel('An event for the machine').inputValue()) as { type: string };
    expect(example).toMatchObject({ type: 'ROOM_CREATE_COMPLETED', responsibleUserId: stage.anna.id });
    await page.getByRole('button', { name: 'Try it on a copy' }).click();

    await page.getByText('It would be accepted').waitFor();
    await isLit(page, 'room.open');
    expect(await page.locator('.verdict .change-path').allTextContents()).toContain('room');
    expect((await roomHistory()).length).toBe(before);
    await close();
  });
});

describe('finding', () => {
  test('actors are found by type and state with the keyboard', async () => {
    const { page, close } = await stage.open('');
    await page.getByText('all owned').waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('room open');
    // Before the results are there.
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'room', level: 1 }).waitFor();
    await isLit(page, 'room.open');
    await page.goBack();
    await page.getByText('all owned').waitFor();
    await close();
  });

  test('a word that means nothing is said', async () => {
    const { page, close } = await stage.open('');

    await page.getByRole('combobox', { name: 'Find' }).fill('nowhere');

    await page.locator('.search-sentence', { hasText: '“nowhere” is no type and no state' }).waitFor();
    await close();
  });
});

describe('for everybody', () => {
  const places = (): Readonly<Record<string, string>> => ({
    overview: '',
    actor: `?actor=room/${stage.roomId}&seq=2`,
    operation: '?operation=8f14e45f-0000-4000-8000-000000000001',
  });

  const views = [
    ['light', 'desktop', { look: 'light', viewport: desktop }],
    ['dark', 'desktop', { look: 'dark', viewport: desktop }],
    ['light', 'phone', { look: 'light', viewport: phone }],
    ['dark', 'phone', { look: 'dark', viewport: phone }],
  ] as const;

  test.each(views)('axe finds nothing serious, %s at %s width', async (_look, _width, view) => {
    for (const [name, search] of Object.entries(places())) {
      const { page, complaints, close } = await stage.open(search, view);
      await page
        .locator(name === 'overview' ? '.shard' : name === 'actor' ? '.is-active' : '.arrow')
        .first()
        .waitFor();
      expect(await seriousFindings(page), name).toEqual([]);
      expect(await overhang(page), `${name} is wider than the screen`).toBeLessThanOrEqual(0);
      expect(complaints).toEqual([]);
      await close();
    }
  });

  test('nothing is asked of another host', async () => {
    const { page, close } = await stage.open('');
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));

    await page.goto(`${stage.chat.base}/inspector?actor=room/${stage.roomId}`);
    await isLit(page, 'room.open');

    expect([...hosts]).toEqual([new URL(stage.chat.base).host]);
    await close();
  });

  test('ELK is loaded when a chart opens and not before', async () => {
    const { page, close } = await stage.open('');
    const names: string[] = [];
    page.on('request', (request) => names.push(new URL(request.url()).pathname));
    await page.reload();
    await page.locator('.shard').first().waitFor();
    expect(names.filter((name) => name.includes('elk'))).toEqual([]);

    await page.goto(`${stage.chat.base}/inspector?actor=room/${stage.roomId}`);
    await isLit(page, 'room.open');

    expect(names.filter((name) => name.includes('elk'))).toHaveLength(1);
    await close();
  });
});
