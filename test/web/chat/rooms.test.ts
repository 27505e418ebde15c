/** Who is in which room, and who has read what, with several people and tabs in Chromium. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { titled, World } from '../browser.ts';
import { beginChat, enter, member, openRoom, sees, showsUnread, texts, write } from './people.ts';

const desktop = { width: 1_280, height: 800 };

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(async () => {
  await world?.stop();
});

test('a room is seen by its companion from the first message on', async () => {
  await member(world, 'Dora');
  await member(world, 'Edwin');
  const [dora, edwin] = [await world.open('/', { viewport: desktop }), await world.open('/', { viewport: desktop })];
  await enter(dora.page, 'Dora');
  await enter(edwin.page, 'Edwin');
  await beginChat(dora.page, 'Edwin');
  await dora.page.getByText('They see this chat as soon as you have written.').waitFor();

  await edwin.page.reload();
  await edwin.page.getByRole('heading', { name: 'No chats yet' }).waitFor();
  await write(dora.page, 'Good day');

  await showsUnread(edwin.page, 'Dora', 1);
  await openRoom(edwin.page, 'Dora');
  await sees(edwin.page, 'Good day');
  await dora.page.getByText('Read by Edwin').waitFor();
  expect([...dora.troubles, ...edwin.troubles]).toEqual([]);
}, 120_000);

test('a member who is added finds what was said', async () => {
  const gina = await member(world, 'Gina');
  const hugo = await member(world, 'Hugo');
  await member(world, 'Irma');
  const room = await gina.room(hugo);
  await gina.write(room, 'said before');
  const tabs = await Promise.all(['Gina', 'Hugo', 'Irma'].map(() => world.open('/', { viewport: desktop })));
  const [ginas, hugos, irmas] = tabs.map(({ page }) => page) as [
    (typeof tabs)[0]['page'],
    (typeof tabs)[0]['page'],
    (typeof tabs)[0]['page'],
  ];
  await Promise.all([enter(ginas, 'Gina'), enter(hugos, 'Hugo'), enter(irmas, 'Irma')]);
  await openRoom(ginas, 'Hugo');
  await openRoom(hugos, 'Gina');

  await ginas.getByRole('button', { name: 'People' }).click();
  await ginas.getByRole('button', { name: 'Add somebody' }).click();
  await ginas.getByRole('searchbox').fill('Irma');
  await ginas.getByRole('dialog').getByRole('button', { name: 'Irma' }).click();

  await ginas.getByRole('heading', { level: 1, name: 'Hugo, Irma' }).waitFor();
  await hugos.getByRole('heading', { level: 1, name: 'Gina, Irma' }).waitFor();
  await openRoom(irmas, 'Gina, Hugo');
  await sees(irmas, 'said before');
  await ginas.getByText('3 people, 3 online').waitFor();
  await write(irmas, 'thank you');
  for (const page of [ginas, hugos]) await sees(page, 'thank you');
  await ginas.getByRole('button', { name: 'People' }).click();
  await ginas.getByRole('button', { name: 'Add somebody' }).click();
  await ginas.getByRole('searchbox').fill('Irma');
  await ginas.locator('.person-row', { hasText: 'Irma' }).getByText('Already here').waitFor();
  expect(tabs.flatMap(({ troubles }) => troubles)).toEqual([]);
}, 120_000);

test('what is read in one tab is read in the other', async () => {
  const jana = await member(world, 'Jana');
  const karl = await member(world, 'Karl');
  await member(world, 'Lina');
  const room = await jana.room(karl);
  await jana.write(room, 'one');
  const [first, second] = [await world.open('/', { viewport: desktop }), await world.open('/', { viewport: desktop })];
  await enter(first.page, 'Karl');
  await enter(second.page, 'Karl');
  await jana.write(room, 'two');
  for (const { page } of [first, second]) {
    await showsUnread(page, 'Jana', 2);
    await titled(page, '(2) Troupe');
  }

  await openRoom(first.page, 'Jana');
  for (const { page } of [first, second]) await showsUnread(page, 'Jana', 0);
  await jana.write(room, 'three');
  await sees(first.page, 'three');
  await second.page.locator('.room-link', { hasText: 'three' }).waitFor();
  for (const { page } of [first, second]) await showsUnread(page, 'Jana', 0);
  await first.page.goto(`${world.server.url}/#/`);
  await jana.write(room, 'four');
  for (const { page } of [first, second]) await showsUnread(page, 'Jana', 1);
  await karl.write(room, 'from elsewhere');

  for (const { page } of [first, second]) await showsUnread(page, 'Jana', 0);
  await openRoom(second.page, 'Jana');
  await sees(second.page, 'one');
  expect(await texts(second.page)).toEqual(['one', 'two', 'three', 'four', 'from elsewhere']);
}, 120_000);
