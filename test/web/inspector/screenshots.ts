/** Pictures of the inspector for the README: a room in the past and an operation, as they are on a screen and a phone. */

import { join } from 'node:path';
import { desktop, openStage, phone, type Stage, type View } from './stage.ts';

interface Picture {
  readonly name: string;
  readonly search: string;
  readonly view: View;
  /** What has to be there, and be still, before it is taken. */
  readonly ready: string;
}

async function pictures({ anna, borys, roomId }: Stage): Promise<readonly Picture[]> {
  const { body } = await anna.command('POST', '/v1/rooms', { companionUserId: borys.id });
  const { operationId } = body as unknown as { readonly operationId: string };
  const room = `?actor=room/${roomId}&seq=2`;
  const chart = '.edge.is-taken';
  return [
    { name: 'inspector-room', search: room, view: { viewport: desktop }, ready: chart },
    { name: 'inspector-room-dark', search: room, view: { viewport: desktop, look: 'dark' }, ready: chart },
    { name: 'inspector-room-phone', search: room, view: { viewport: phone }, ready: chart },
    { name: 'inspector-operation', search: `?operation=${operationId}`, view: { viewport: desktop }, ready: '.arrow' },
    { name: 'inspector-overview', search: '', view: { viewport: desktop }, ready: '.lines .chip' },
    { name: 'inspector-overview-phone', search: '', view: { viewport: phone }, ready: '.lines .chip' },
  ];
}

/** Writes one PNG each into the folder, and gives their names. */
export async function takeInspectorScreenshots(folder: string): Promise<readonly string[]> {
  const stage = await openStage();
  const taken: string[] = [];
  try {
    for (const { name, search, view, ready } of await pictures(stage)) {
      const { page, close } = await stage.open(search, view);
      await page.locator('.connection.is-live').waitFor();
      if (search === '') await stage.anna.message(stage.roomId, 'Hello again');
      await page.locator(ready).first().waitFor();
      await page.evaluate(() => document.fonts.ready.then(() => undefined));
      await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
      taken.push(name);
      await close();
    }
  } finally {
    await stage.close();
  }
  return taken;
}
