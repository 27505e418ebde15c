/** The chat page in Chromium, in front of a real server: what people do on it, and what they see of it. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { barriers } from '../barriers.ts';
import { World } from '../browser.ts';
import { beginChat, join, openRoom, sees, signIn, texts, write } from './people.ts';

const desktop = { width: 1_280, height: 800 };
const phone = { width: 390, height: 780 };

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(async () => {
  await world?.stop();
});

test('two people chat and see each other read and type', async () => {
  const [anna, ben] = [await world.open('/', { viewport: desktop }), await world.open('/', { viewport: phone })];
  await join(anna.page, { name: 'Anna' });
  await join(ben.page, { name: 'Ben' });

  await beginChat(anna.page, 'Ben');
  await write(anna.page, 'Hello Ben');
  await sees(anna.page, 'Hello Ben');
  await ben.page.getByText('1 unread message').waitFor({ state: 'attached' });
  await openRoom(ben.page, 'Anna');
  await sees(ben.page, 'Hello Ben');
  await anna.page.getByText('Read by Ben').waitFor();
  await ben.page.getByRole('textbox', { name: 'Message' }).pressSequentially('Hi');
  await anna.page.getByText('Ben is typing…').first().waitFor();
  await ben.page.keyboard.press('Enter');
  await sees(anna.page, 'Hi');

  await anna.page.locator('.message', { hasText: 'Hello Ben' }).hover();
  await anna.page.getByRole('button', { name: 'Edit' }).click();
  await write(anna.page, 'Hello dear Ben');
  await sees(ben.page, 'Hello dear Ben');
  for (const { page } of [anna, ben]) await page.getByText('edited').waitFor();
  expect(await texts(ben.page)).toEqual(['Hello dear Ben', 'Hi']);
  expect(await texts(anna.page)).toEqual(['Hello dear Ben', 'Hi']);
  expect([...anna.troubles, ...ben.troubles]).toEqual([]);
}, 120_000);

test('whoever was offline comes back to everything, once', async () => {
  const [cora, dan] = [await world.open('/', { viewport: desktop }), await world.open('/', { viewport: desktop })];
  await join(cora.page, { name: 'Cora' });
  await join(dan.page, { name: 'Dan' });
  await beginChat(cora.page, 'Dan');
  await write(cora.page, 'one');
  await openRoom(dan.page, 'Cora');
  await sees(dan.page, 'one');

  await world.server.pause();
  await dan.page.context().setOffline(true);
  world.server.resume();
  await dan.page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await dan.page.locator('.banner').getByText('You are offline.').waitFor();
  await write(dan.page, 'from the tunnel');
  await dan.page.getByText('Waiting for the connection').waitFor();
  for (const text of ['two', 'three']) {
    await write(cora.page, text);
    await sees(cora.page, text);
  }
  await dan.page.context().setOffline(false);

  await dan.page.getByRole('status').getByText('You are online again.').waitFor({ state: 'attached' });
  await sees(dan.page, 'three');
  await sees(cora.page, 'from the tunnel');
  await sees(dan.page, 'from the tunnel');
  const expected = ['one', 'two', 'three', 'from the tunnel'];
  expect(await texts(cora.page)).toEqual(expected);
  expect(await texts(dan.page)).toEqual(expected);
}, 120_000);

test('a translator translates from the queue', async () => {
  const [eva, fabio] = [await world.open('/', { viewport: desktop }), await world.open('/', { viewport: desktop })];
  await join(eva.page, { name: 'Eva' });
  await join(fabio.page, { name: 'Fabio', language: 'Italian', translates: 'English' });
  await beginChat(eva.page, 'Fabio');
  await write(eva.page, 'Good morning');
  await sees(eva.page, 'Good morning');

  await fabio.page.getByRole('link', { name: /To translate/ }).click();
  await fabio.page.getByText('Good morning').first().waitFor();
  await fabio.page.getByLabel('Translation into Italian').fill('Buongiorno');
  await fabio.page.getByRole('button', { name: 'Save translation' }).click();
  await fabio.page.getByText('Nothing to translate').waitFor();

  await eva.page.getByRole('button', { name: 'Show translation' }).click();
  await eva.page.getByText('Buongiorno').waitFor();
  await eva.page.getByText('Italian, by Fabio').waitFor();
  expect([...eva.troubles, ...fabio.troubles]).toEqual([]);
}, 120_000);

test('a refusal is explained in the reader’s language', async () => {
  const { page } = await world.open('/', { viewport: desktop, locale: 'it-IT' });
  await page.getByRole('textbox').fill('gino@example.com');
  await page.keyboard.press('Enter');
  await page.getByRole('radio').nth(1).check();
  for (const box of await page.getByRole('checkbox').all()) if (await box.isEnabled()) await box.uncheck();

  await page.getByRole('button').first().click();

  await page.getByRole('alert').filter({ hasText: 'lingu' }).first().waitFor();
}, 120_000);

test('everything can be done by keyboard alone', async () => {
  const [hana, ivo] = [await world.open('/', { viewport: desktop }), await world.open('/', { viewport: desktop })];
  await join(ivo.page, { name: 'Ivo' });
  await signIn(hana.page, 'hana@example.com');
  const { keyboard } = hana.page;
  await hana.page.getByRole('textbox', { name: 'Name' }).focus();
  await keyboard.press('Enter');
  await hana.page.getByRole('navigation', { name: 'Chats' }).waitFor();

  await keyboard.press('Control+k');
  await hana.page.getByRole('searchbox').waitFor();
  await keyboard.type('Ivo');
  // Nobody else is listed: the first one is meant.
  await hana.page.locator('.people li:only-child', { hasText: 'Ivo' }).waitFor();
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await hana.page.getByRole('heading', { level: 1, name: 'Ivo' }).waitFor();
  await hana.page.locator('.composer textarea:focus').waitFor();
  await keyboard.type('by hand');
  await keyboard.press('Enter');
  await sees(hana.page, 'by hand');
  await keyboard.press('ArrowUp');
  await hana.page.getByText('Editing your message').waitFor();
  await keyboard.press('End');
  await keyboard.type(', edited');
  await keyboard.press('Enter');
  await sees(hana.page, 'by hand, edited');
  await write(hana.page, 'once more');
  await sees(hana.page, 'once more');
  await keyboard.press('Shift+Tab');
  await keyboard.press('ArrowUp');
  await hana.page.locator('.message:focus', { hasText: 'by hand, edited' }).waitFor();
  await keyboard.press('ArrowDown');
  await hana.page.locator('.message:focus', { hasText: 'once more' }).waitFor();
  await keyboard.press('Tab');
  await hana.page.locator('.message', { hasText: 'once more' }).locator('button:focus').waitFor();
  await keyboard.press('Enter');
  await hana.page.getByText('Editing your message').waitFor();
  await keyboard.press('Escape');
  await keyboard.press('Control+/');
  await hana.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await keyboard.press('Escape');
  await hana.page.locator('dialog').waitFor({ state: 'detached' });
}, 120_000);

test.each([
  ['light', desktop],
  ['dark', desktop],
  ['light', phone],
  ['dark', phone],
] as const)(
  'no screen has serious barriers (%s, %o)',
  async (colorScheme, viewport) => {
    const name = `Kim${colorScheme}${viewport.width}`;
    const other = await world.open('/', { viewport });
    await join(other.page, { name: `Lea${colorScheme}${viewport.width}`, language: 'Ukrainian' });
    const { page, troubles } = await world.open('/', { viewport, colorScheme });
    const found: string[] = [];
    const look = async (screen: string) => found.push(...(await barriers(page)).map((one) => `${screen}: ${one}`));

    await page.getByLabel('Email').waitFor();
    await look('sign in');
    await signIn(page, `${name.toLowerCase()}@example.com`);
    await page.getByLabel('I chat and translate').check();
    await page.getByRole('checkbox', { name: 'Ukrainian' }).waitFor();
    await look('register');
    await page.getByRole('checkbox', { name: 'Ukrainian' }).check();
    await page.getByRole('button', { name: 'Begin' }).click();
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    await look('home');
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Lea' }).first().waitFor();
    await look('new chat');
    await page.keyboard.press('Escape');
    await beginChat(page, `Lea${colorScheme}${viewport.width}`);
    await write(page, 'Hello');
    await sees(page, 'Hello');
    await look('room');
    await page.getByRole('button', { name: 'People' }).click();
    await page.getByRole('dialog', { name: 'People' }).waitFor();
    await look('people');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.locator('.message').focus();
    await look('message');
    await page.goto(`${world.server.url}/#/translate`);
    await page.getByRole('heading', { name: 'To translate' }).waitFor();
    await look('queue');
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await look('help');
    await page.keyboard.press('Escape');
    await page.goto(`${world.server.url}/#/`);
    await page.getByRole('button', { name: 'Profile and settings' }).click();
    await page.getByRole('dialog', { name: 'Settings' }).waitFor();
    await look('settings');

    expect(found).toEqual([]);
    expect(troubles).toEqual([]);
  },
  120_000,
);
