/** What the server tells a page before anybody has signed in, and when it does not let somebody in. */

import type { OidcConfig } from './oidc.ts';
import { isProblem, type Problem } from './problem.ts';

export type ClientConfig =
  | { readonly mode: 'development' | 'token' }
  | { readonly mode: 'oidc'; readonly oidc: OidcConfig };

export async function readClientConfig(): Promise<ClientConfig> {
  const answer = await fetch('/client-config');
  if (!answer.ok) throw new Error(`The server answers ${answer.status}.`);
  return (await answer.json()) as ClientConfig;
}

export type TokenAnswer =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly problem: Problem | undefined };

/** A token for anybody, in development mode. */
export async function requestDevToken(email: string, language: string, role?: 'admin'): Promise<TokenAnswer> {
  const answer = await fetch('/dev/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'accept-language': language },
    body: JSON.stringify(role === undefined ? { email } : { email, role }),
  });
  const body: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return { ok: true, token: (body as { token: string }).token };
  return { ok: false, problem: body as Problem | undefined };
}

/** The server's own words on a token that it does not take; undefined when it takes it, or says nothing. */
export async function whyRefused(token: string, language: string): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${token}`, 'accept-language': language };
  try {
    const answer = await fetch('/v1/users/currentUser', { headers });
    const body: unknown = answer.status === 401 || answer.status === 403 ? await answer.json() : undefined;
    return isProblem(body) ? body.detail : undefined;
  } catch {
    return undefined;
  }
}
