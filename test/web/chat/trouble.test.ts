/** What goes wrong on the chat page, and how it is told and put right, in Chromium. */

import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { userIdOf } from '../../../actors/api-identity.ts';
import type { MessageDto } from '../../../actors/contract.ts';
import { systemClock } from '../../../src/clock.ts';
import { signToken } from '../../../src/gateway/tokens.ts';
import { Person } from '../../e2e/person.ts';
import { World } from '../browser.ts';
import { enter, member, openRoom, sees, texts, write } from './people.ts';

const desktop = { width: 1_280, height: 800 };

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(async () => {
  await world?.stop();
});

/** Commands of this page go to a room that does not exist once they are about `content`. */
async function misdirect(page: Page, roomId: string, content: string): Promise<void> {
  await page.routeWebSocket(/connection\/websocket/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      const text = String(frame);
      server.send(text.includes(content) ? text.replace(roomId, randomUUID()) : text);
    });
  });
  await page.reload();
}

test.each([
  ['en-US', 'ENGLISH', 'Not sent: astray', /^Not sent\. There is no room/, 'Remove'],
  ['uk-UA', 'UKRAINIAN', 'Не надіслано: astray', /^Не надіслано\. Кімнати .* не існує\./, 'Прибрати'],
] as const)(
  'a message that is refused says why (%s)',
  async (locale, primaryLanguage, title, sentence, remove) => {
    const name = `Mila${primaryLanguage}`;
    const [mila, nick] = [
      await member(world, name, { primaryLanguage }),
      await member(world, `Nick${primaryLanguage}`),
    ];
    const room = await mila.room(nick);
    await mila.write(room, 'before');
    const { page } = await world.open('/', { viewport: desktop, locale });
    await page.locator('input[type=email]').fill(mila.email);
    await page.keyboard.press('Enter');
    await page.locator('.room-link').click();
    await misdirect(page, room.id, 'astray');
    await sees(page, 'before');

    await page.locator('.composer textarea').fill('astray');
    await page.keyboard.press('Enter');

    const notice = page.locator('.message.sending .problem');
    await notice.getByText(sentence).waitFor();
    await page.locator('.room-link').getByText(title).waitFor();
    expect(await notice.getByRole('button').count()).toBe(1);
    await notice.getByRole('button', { name: remove }).click();
    await notice.waitFor({ state: 'detached' });
    expect(await texts(page)).toEqual(['before']);
  },
  120_000,
);

test('a message that was cut off on its way is sent once', async () => {
  const [olga, paul] = [await member(world, 'Olga'), await member(world, 'Paul')];
  const room = await olga.room(paul);
  const { page } = await world.open('/', { viewport: desktop });
  await enter(page, 'Olga');
  await openRoom(page, 'Paul');
  await page.getByText('Say hello').waitFor();

  world.server.pause();
  await write(page, 'only once');
  await page.getByText('Sending…').waitFor();
  await page.context().setOffline(true);
  await page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await page.getByText('Waiting for the connection').waitFor();
  world.server.resume();
  await page.context().setOffline(false);

  await sees(page, 'only once');
  await write(page, 'and then this');
  await sees(page, 'and then this');
  expect(await texts(page)).toEqual(['only once', 'and then this']);
  const there = await olga.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
  expect(there.map(({ content }) => content)).toEqual(['only once', 'and then this']);
}, 120_000);

test('a token that runs out asks for another one and goes on', async () => {
  const secret = 'a secret of more than thirty-two bytes';
  const guarded = await World.start({ AUTH_SECRET: secret });
  try {
    const tokenFor = (name: string, seconds: number, signedWith = secret): Promise<string> =>
      signToken(signedWith, `${name}@example.com`, systemClock.now(), seconds);
    const known = async (name: string): Promise<Person> => {
      const signed = { email: `${name}@example.com`, id: userIdOf(`${name}@example.com`) };
      const token = await tokenFor(name, 3_600);
      const person = new Person(
        { ...signed, token },
        () => guarded.server.url,
        () => undefined,
      );
      await person.register({ username: name });
      return person;
    };
    const [quinn, rob] = [await known('quinn'), await known('rob')];
    const room = await quinn.room(rob);
    await quinn.write(room, 'said before');
    const { page } = await guarded.open(`/#/rooms/${room.id}`, { viewport: desktop });
    await page.clock.install();
    const paste = async (token: string): Promise<void> => {
      await page.getByLabel('Access token').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
    };

    await paste(await tokenFor('quinn', 3_600, 'a secret that is not the one of the server'));
    await page.locator('.notice').waitFor();
    // Whoever has a token for 140 s is to come with another one after 120.
    await paste(await tokenFor('quinn', 140));
    await sees(page, 'said before');
    await page.locator('.composer textarea').fill('half a sen');
    await page.clock.fastForward(121_000);
    await page.getByText('Your access has expired.').waitFor();
    await rob.write(room, 'said meanwhile');
    await paste(await tokenFor('quinn', 3_600));

    await sees(page, 'said meanwhile');
    expect(await page.locator('.composer textarea').inputValue()).toBe('half a sen');
    await write(page, 'a whole sentence');
    await sees(page, 'a whole sentence');
  } finally {
    await guarded.stop();
  }
}, 120_000);
