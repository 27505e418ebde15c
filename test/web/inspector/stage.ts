/** A chat with people in it, an operator's token, and a browser that opens the inspector on it. */

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { systemClock } from '../../../src/clock.ts';
import { signToken, tokenSeconds } from '../../../src/gateway/tokens.ts';
import { pagesFolder } from '../../../web/build.ts';
import { type Chat, chat, type Person, secret } from '../../gateway/chat.ts';

export const desktop = { width: 1_440, height: 900 };
export const phone = { width: 390, height: 844 };

export interface View {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly look?: 'light' | 'dark';
  /** Default true: no test waits for something to glide. */
  readonly isStill?: boolean;
}

export interface Stage {
  readonly chat: Chat;
  readonly browser: Browser;
  readonly anna: Person;
  readonly borys: Person;
  readonly roomId: string;
  /** A page of an operator at a place of the inspector. What the browser complains about is in `complaints`. */
  open(search: string, view?: View): Promise<InspectorPage>;
  close(): Promise<void>;
}

export interface InspectorPage {
  readonly page: Page;
  /** Errors of scripts and of the policy. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export function operatorToken(): Promise<string> {
  return signToken(secret, 'op@example.com', systemClock.now(), tokenSeconds, 'admin');
}

export function launch(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  return chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
}

/** A page with a token in its tab, as after signing in; none without `token`. */
export async function openPage(
  browser: Browser,
  url: string,
  { viewport = desktop, look = 'light', isStill = true }: View = {},
  token?: string,
): Promise<InspectorPage> {
  const options: BrowserContextOptions = {
    viewport,
    colorScheme: look,
    reducedMotion: isStill ? 'reduce' : 'no-preference',
    ...(viewport.width < 600 ? { isMobile: true, hasTouch: true, deviceScaleFactor: 2 } : {}),
  };
  const context = await browser.newContext(options);
  const complaints: string[] = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // What the server refuses, and a server that is not there, is the business of a test.
    const isAnswer = message.text().startsWith('Failed to load resource') || message.text().includes('WebSocket');
    if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
  });
  if (token !== undefined) {
    await page.addInitScript((kept) => {
      if (sessionStorage.getItem('troupe.token') === null) sessionStorage.setItem('troupe.token', kept);
    }, token);
  }
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}

export async function openStage(): Promise<Stage> {
  const browser = await launch();
  const talk = await chat({ pages: pagesFolder, devMode: true });
  const close = async (): Promise<void> => {
    await browser.close();
    await talk.server.stop();
  };
  try {
    const anna = await talk.register('anna');
    const borys = await talk.register('borys', { primaryLanguage: 'UKRAINIAN' });
    const roomId = await anna.room(borys);
    await anna.message(roomId, 'Hello Borys');
    await borys.message(roomId, 'Hello Anna');
    const token = await operatorToken();
    const open = (search: string, view: View = {}): Promise<InspectorPage> =>
      openPage(browser, `${talk.base}/inspector${search}`, view, token);
    return { chat: talk, browser, anna, borys, roomId, open, close };
  } catch (error) {
    await close();
    throw error;
  }
}
