/** A chat whose people sign in at a real issuer, both on loopback, and Chromium in front of them. */

import type { Browser, Page } from 'playwright-core';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { pagesFolder } from '../../../web/build.ts';
import { freePort } from '../../e2e/troupe-server.ts';
import { type Chat, chat, Person } from '../../gateway/chat.ts';
import { clientId, RealIssuer } from '../../oidc/provider.ts';
import { configOf, tokenOf } from '../../oidc/visitor.ts';
import { patienceMs } from '../browser.ts';
import { launch } from '../inspector/stage.ts';

const scope = 'openid email offline_access';

export interface IssuedTab {
  readonly page: Page;
  /** Errors on its console, breaches of its policy, and requests to others than the server and the issuer. */
  readonly troubles: readonly string[];
}

export class OidcStage {
  readonly issuer: RealIssuer;
  readonly talk: Chat;
  /** How far the server's clock is ahead. */
  skewMs = 0;
  readonly #browser: Browser;

  private constructor(issuer: RealIssuer, talk: Chat, browser: Browser) {
    this.issuer = issuer;
    this.talk = talk;
    this.#browser = browser;
  }

  static async open(): Promise<OidcStage> {
    const port = await freePort();
    const base = `http://127.0.0.1:${port}`;
    const issuer = await RealIssuer.open({ pages: [`${base}/`, `${base}/inspector`] });
    const operators = [{ claim: 'roles', value: 'troupe-admin' }];
    const oidc = { issuer: issuer.url, clientId, audience: undefined, scope, operators };
    let stage: OidcStage | undefined;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + (stage?.skewMs ?? 0) };
    const talk = await chat({ port, authSecret: undefined, oidc, clock, pages: pagesFolder });
    stage = new OidcStage(issuer, talk, await launch());
    return stage;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.talk.server.stop();
    await this.issuer.close();
  }

  /** As it was at first. */
  reset(): void {
    Object.assign(this.issuer, { tokenSeconds: 3_600, isRenewable: true, away: () => false });
    this.issuer.asked.length = 0;
    this.issuer.grants.length = 0;
    this.skewMs = 0;
  }

  /** Somebody who has signed in elsewhere, and is registered. */
  async register(name: string): Promise<Person> {
    const email = `${name.toLowerCase()}@example.com`;
    const person = new Person(email, await tokenOf(`${this.talk.base}/`, configOf(this.issuer), email), this.talk.base);
    const profile = { type: 'REGULAR_USER', username: name, primaryLanguage: 'ENGLISH' };
    await person.command('POST', '/v1/users/currentUser', profile);
    return person;
  }

  /** A tab of somebody with a browser of their own. Its time can be moved on. */
  async open(path: string, locale = 'en-US'): Promise<IssuedTab> {
    const context = await this.#browser.newContext({ locale, reducedMotion: 'reduce' });
    context.setDefaultTimeout(patienceMs);
    const page = await context.newPage();
    const troubles: string[] = [];
    const hosts = [this.talk.base, this.issuer.url].map((url) => new URL(url).host);
    page.on('console', (message) => {
      const isExpected = /Failed to load resource|WebSocket connection|blocked by CORS/.test(message.text());
      if (message.type() === 'error' && !isExpected) troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('request', (request) => {
      const { host, protocol } = new URL(request.url());
      if (!hosts.includes(host) && protocol !== 'data:') troubles.push(`a request to ${host}`);
    });
    await page.clock.install();
    await page.goto(`${this.talk.base}${path}`);
    return { page, troubles };
  }

  /** From the page to the issuer, through its forms, and back. */
  async signIn(page: Page, email: string, answer: 'Allow' | 'Deny' = 'Allow'): Promise<void> {
    await page.getByRole('button', { name: /127\.0\.0\.1/ }).click();
    await page.getByLabel('Email').fill(email);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: answer }).click();
  }

  /** Comes back at once, or after consent, since the issuer knows who it is. */
  async signInAgain(page: Page): Promise<void> {
    await page.getByRole('button', { name: /127\.0\.0\.1/ }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
  }
}

/** What the tab holds, by its key. */
export function held(page: Page): Promise<Readonly<Record<string, string>>> {
  return page.evaluate(() => ({ ...sessionStorage }) as Record<string, string>);
}
