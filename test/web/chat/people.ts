/** What a person does on the chat page, by what is written there; and people who are there by the API alone. */

import type { Page } from 'playwright-core';
import type { Profile as Fields } from '../../e2e/commands.ts';
import { request } from '../../e2e/http-client.ts';
import { Person } from '../../e2e/person.ts';
import type { World } from '../browser.ts';

export interface Profile {
  readonly name: string;
  readonly language?: 'English' | 'Ukrainian' | 'Italian';
  /** Beside the own language. */
  readonly translates?: 'English' | 'Ukrainian' | 'Italian';
}

/** Somebody who is registered, and signs in by the email `name@example.com`. */
export async function member({ server }: World, name: string, fields: Partial<Fields> = {}): Promise<Person> {
  const email = `${name.toLowerCase()}@example.com`;
  const { body } = await request<{ token: string; userId: string }>(`${server.url}/dev/tokens`, 'POST', {}, { email });
  const signed = { email, id: body.userId, token: body.token };
  const person = new Person(
    signed,
    () => server.url,
    () => undefined,
  );
  await person.register({ username: name, ...fields });
  return person;
}

/** A registered person's page. */
export async function enter(page: Page, name: string): Promise<void> {
  await signIn(page, `${name.toLowerCase()}@example.com`);
  await page.locator('.sidebar').waitFor();
}

export async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.keyboard.press('Enter');
}

/** Signs in for the first time. */
export async function join(page: Page, { name, language = 'English', translates }: Profile): Promise<void> {
  await signIn(page, `${name.toLowerCase()}@example.com`);
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByLabel('You write in').selectOption({ label: language });
  if (translates !== undefined) {
    await page.getByLabel('I chat and translate').check();
    await page.getByRole('checkbox', { name: translates }).check();
  }
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
}

export async function beginChat(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'New chat' }).first().click();
  await page.getByRole('searchbox').fill(name);
  await page.getByRole('dialog').getByRole('button', { name }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

export async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

function roomLink(page: Page, name: string) {
  return page.locator('.room-link', { hasText: name });
}

export async function openRoom(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name }).click();
}

/** Resolves when the list of rooms says so of a room. */
export async function showsUnread(page: Page, name: string, count: number): Promise<void> {
  const badge = roomLink(page, name).locator('.badge [aria-hidden]');
  if (count === 0) await badge.waitFor({ state: 'detached' });
  else await badge.getByText(String(count), { exact: true }).waitFor();
}

/** The texts of the room that is open, in its order; what is still on its way has its own class. */
export async function texts(page: Page): Promise<readonly string[]> {
  return page.locator('.messages .message:not(.sending) .bubble').allInnerTexts();
}

/** Resolves when a message is in the room, and not on its way any more. */
export async function sees(page: Page, text: string): Promise<void> {
  await page.locator('.message:not(.sending) .bubble', { hasText: text }).waitFor();
}
