/** The inspector while its server is away, and when it is back on the same port. */

import { expect, test } from 'vitest';
import { openMemoryJournal } from '../../../src/journal/memory.ts';
import { pagesFolder } from '../../../web/build.ts';
import { freePort } from '../../e2e/troupe-server.ts';
import { chat } from '../../gateway/chat.ts';
import { launch, openPage, operatorToken } from './stage.ts';

test('a lost connection is said, and mended by itself', async () => {
  const journal = openMemoryJournal({ shards: 8 });
  const kept = Object.assign(Object.create(journal) as typeof journal, { close: () => Promise.resolve() });
  const port = await freePort();
  const options = { port, pages: pagesFolder, devMode: true, listenMs: 20_000 };
  const browser = await launch();
  let talk = await chat({ ...options, journal: kept });
  try {
    const anna = await talk.register('anna');
    const borys = await talk.register('borys');
    const roomId = await anna.room(borys);
    const url = `${talk.base}/inspector?actor=room/${roomId}`;
    const { page, complaints } = await openPage(browser, url, {}, await operatorToken());
    await page.locator('.connection.is-live').waitFor();
    await page.locator('[data-state-id="room.open"].is-active').waitFor();

    await talk.server.stop();
    await page.getByText('The connection is lost').waitFor();
    expect(await page.locator('[data-state-id="room.open"].is-active').count()).toBe(1);
    talk = await chat({ ...options, journal: kept });
    await page.locator('.connection.is-live').waitFor({ timeout: 40_000 });
    await anna.message(roomId, 'are you there');

    await expect.poll(() => page.getByRole('slider').getAttribute('max'), { timeout: 20_000 }).toBe('4');
    expect(await page.getByText('The connection is lost').count()).toBe(0);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await talk.server.stop();
  }
}, 120_000);
