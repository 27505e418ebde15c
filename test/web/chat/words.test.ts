/** Names and messages of any kind in Chromium: they are shown as they are, in their own direction, and nothing runs. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from '../browser.ts';
import { enter, member, openRoom, sees, texts } from './people.ts';

const messages = [
  '<img src=x onerror="window.isHacked=true"><script>window.isHacked=true</script>',
  'javascript:window.isHacked=true',
  '&lt;b&gt; **bold** `code` {{1+1}}',
  `${'long'.repeat(150)} and https://example.com/${'path/'.repeat(60)}`,
  '👩‍🚀🇺🇦 👨‍👩‍👧‍👦🏳️‍🌈 z̈a̐l͈g̔o',
  'שלום (abc) 123, מה שלומך?',
  'two\n\n  lines, the second with spaces',
];
const names = ['<b onmouseover="window.isHacked=true">Zoe</b>', 'W'.repeat(64), '🇺🇦 Тарас', 'יוסי \u202eevil'];

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(async () => {
  await world?.stop();
});

test('whatever people write is shown as it is', async () => {
  const [me, ...others] = await Promise.all([
    member(world, 'Sol', { username: names[0] as string, type: 'TRANSLATOR', translationLanguages: ['ITALIAN'] }),
    ...[1, 2, 3].map((i) => member(world, `Other${i}`, { username: names[i] as string })),
  ]);
  const room = await me.room(others[0] as (typeof others)[0]);
  for (const other of others.slice(1)) await me.add(room, other);
  for (const [i, text] of messages.entries()) await (others[i % 3] as (typeof others)[0]).write(room, text);
  const { page, troubles } = await world.open('/', { viewport: { width: 360, height: 780 } });
  const tooWide: string[] = [];
  const measure = async (screen: string): Promise<void> => {
    const wide = await page.evaluate(() =>
      [
        document.documentElement,
        ...document.querySelectorAll('.scrolling, .sidebar-nav, .main-head, dialog, .composer'),
      ]
        .filter((one) => one.scrollWidth > one.clientWidth)
        .map((one) => `${one.tagName}.${one.className}`),
    );
    tooWide.push(...wide.map((one) => `${screen}: ${one}`));
  };

  await enter(page, 'Sol');
  await page.locator('.room-link').waitFor();
  await measure('chats');
  await openRoom(page, 'Тарас');
  await sees(page, 'onerror');
  await measure('room');
  await page.getByRole('button', { name: 'People' }).click();
  await page
    .getByRole('dialog')
    .getByText(names[1] as string)
    .waitFor();
  await measure('people');
  await page.getByRole('button', { name: 'Add somebody' }).click();
  await page.getByRole('dialog').getByText('Already here').first().waitFor();
  await measure('add');
  await page.keyboard.press('Escape');
  const shown = await texts(page);
  const directions = await page
    .locator('.bubble')
    .evaluateAll((bubbles) => bubbles.map((bubble) => getComputedStyle(bubble).direction));
  await page.goto(`${world.server.url}/#/translate`);
  await page.locator('.queue-card').first().waitFor();
  await measure('queue');

  expect(shown).toEqual(messages);
  expect(directions).toEqual(messages.map((text) => (text.startsWith('ש') ? 'rtl' : 'ltr')));
  expect(tooWide).toEqual([]);
  expect(await page.evaluate(() => 'isHacked' in window)).toBe(false);
  expect(troubles).toEqual([]);
}, 120_000);
