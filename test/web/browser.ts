/**
 * Chromium in front of a real server: each person has a browser context of their own. Whatever a page must not do (an
 * error on its console, a breach of its policy, a request to another host) is written down.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildPages, pagesState } from '../../web/build.ts';
import { freePort, TroupeServer } from '../e2e/troupe-server.ts';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** For noisy machines. */
export const patienceMs = 30_000;

export interface Tab {
  readonly page: Page;
  readonly troubles: readonly string[];
}

export class World {
  readonly server: TroupeServer;
  readonly browser: Browser;
  readonly #folder: string;

  private constructor(server: TroupeServer, browser: Browser, folder: string) {
    this.server = server;
    this.browser = browser;
    this.#folder = folder;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<World> {
    if (pagesState() !== 'fresh') await buildPages();
    const folder = mkdtempSync(join(tmpdir(), 'troupe-web-'));
    const journal = `lmdb:${folder}/data`;
    const server = await TroupeServer.start({ journal, port: await freePort(), environment });
    try {
      const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: flags });
      return new World(server, browser, folder);
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  /** A tab of somebody who has not been here before. */
  async open(path: string, options: BrowserContextOptions = {}): Promise<Tab> {
    const context = await this.browser.newContext({ locale: 'en-US', reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(patienceMs);
    const page = await context.newPage();
    const troubles: string[] = [];
    const own = new URL(this.server.url).host;
    page.on('console', (message) => {
      // The browser's own words for requests that the page expects to fail, and for a connection that is cut.
      const isExpected = /Failed to load resource|WebSocket connection/.test(message.text());
      if (message.type() === 'error' && !isExpected) troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('request', (request) => {
      const { host, protocol } = new URL(request.url());
      if (host !== own && protocol !== 'data:') troubles.push(`a request to ${host}`);
    });
    await page.goto(`${this.server.url}${path}`);
    return { page, troubles };
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Resolves when the tab is called so: a page names its tab after it has drawn what is new. */
export async function titled(page: Page, title: string): Promise<void> {
  await page.waitForFunction((wanted) => document.title === wanted, title);
}

/** Resolves when the tab is at this address: the browser tells of it after the page has gone there. */
export async function isAt(page: Page, address: string): Promise<void> {
  await page.waitForURL(({ href }) => href === address);
}
