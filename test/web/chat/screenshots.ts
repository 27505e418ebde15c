/** Pictures of the chat page for the README: a conversation with a translation, on a screen and a phone. */

import { join as pathOf } from 'node:path';
import { World } from '../browser.ts';
import { beginChat, join, openRoom, sees, write } from './people.ts';

/** Writes one PNG each into the folder, and gives their names. */
export async function takeChatScreenshots(folder: string): Promise<readonly string[]> {
  const world = await World.start();
  const taken: string[] = [];
  try {
    const [maya, luca] = [
      await world.open('/', { viewport: { width: 1_280, height: 800 } }),
      await world.open('/', { viewport: { width: 390, height: 780 }, colorScheme: 'dark', deviceScaleFactor: 2 }),
    ];
    const take = async ({ page }: typeof maya, name: string): Promise<void> => {
      await page.evaluate(() => document.fonts.ready.then(() => undefined));
      await page.screenshot({ path: pathOf(folder, `${name}.png`), animations: 'disabled' });
      taken.push(name);
    };
    await join(maya.page, { name: 'Maya' });
    await join(luca.page, { name: 'Luca', language: 'Italian', translates: 'English' });
    await beginChat(maya.page, 'Luca');
    for (const text of ['Hi Luca!', 'Could you look at the programme for Saturday? The doors open at seven.']) {
      await write(maya.page, text);
      await sees(maya.page, text);
    }
    await luca.page.goto(`${world.server.url}/#/translate`);
    const field = luca.page.getByLabel('Translation into Italian').last();
    await field.fill('Potresti guardare il programma di sabato? Le porte aprono alle sette.');
    await take(luca, 'chat-queue-phone-dark');
    await luca.page.getByRole('button', { name: 'Save translation' }).last().click();
    await luca.page.goto(`${world.server.url}/#/`);
    await openRoom(luca.page, 'Maya');
    await write(luca.page, 'Certo, lo guardo stasera.');
    await sees(maya.page, 'Certo, lo guardo stasera.');
    await maya.page.getByRole('button', { name: 'Show translation' }).last().click();
    await luca.page.getByText('Read by Maya').waitFor();
    await luca.page.getByRole('textbox', { name: 'Message' }).pressSequentially('E porto');
    await maya.page.getByText('Luca is typing…').first().waitFor();
    await take(maya, 'chat-room');
    await take(luca, 'chat-room-phone-dark');
  } finally {
    await world.stop();
  }
  return taken;
}
