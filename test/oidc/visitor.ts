/**
 * Somebody who signs in at the real issuer without a browser: the page's own code (web/shared/oidc.ts) in a tab of memory,
 * and a walk through the issuer's forms with its cookies.
 */

import { beginSignIn, type Completion, completeSignIn, type OidcConfig, type Tab } from '../../web/shared/oidc.ts';
import { clientId, type RealIssuer } from './provider.ts';

const stepsMax = 12;

export class Visitor {
  readonly tab: Tab;
  /** Where the tab has left for. */
  left = '';
  readonly #cookies = new Map<string, string>();
  readonly #storage = new Map<string, string>();
  #url: string;

  constructor(url: string) {
    this.#url = url;
    const visitor = this;
    this.tab = {
      storage: {
        getItem: (key) => visitor.#storage.get(key) ?? null,
        setItem: (key, value) => void visitor.#storage.set(key, value),
        removeItem: (key) => void visitor.#storage.delete(key),
      },
      get url() {
        return visitor.#url;
      },
      replace: (to) => visitor.go(to),
      leave: (to) => {
        visitor.left = to;
      },
    };
  }

  /** To another address, from where one is. */
  go(url: string): void {
    this.#url = new URL(url, this.#url).href;
  }

  /** What is kept with the tab. */
  get kept(): string {
    return [...this.#storage.values()].join('\n');
  }

  /** Leaves for the issuer, fills in what it asks, and comes back. */
  async visit(config: OidcConfig, email: string, answer: 'allow' | 'deny' = 'allow'): Promise<void> {
    await beginSignIn(config, this.tab);
    this.go(await this.#walk(this.left, new URLSearchParams({ email, answer })));
  }

  async signIn(config: OidcConfig, email: string): Promise<Completion> {
    await this.visit(config, email);
    return completeSignIn(this.tab);
  }

  /** The first address beyond the issuer that one is led to. */
  async #walk(start: string, form: URLSearchParams): Promise<string> {
    const home = new URL(start).origin;
    let url = start;
    let init: RequestInit = {};
    for (let step = 0; step < stepsMax; step++) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
      for (const set of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        this.#cookies.set(name, value);
      }
      const text = await answer.text();
      const location = answer.headers.get('location');
      if (location === null && !text.includes('<form')) throw new Error(`${url} answers ${answer.status}: ${text}`);
      init = location === null ? { method: 'POST', body: form } : {};
      url = location === null ? url : new URL(location, url).href;
      if (new URL(url).origin !== home) return url;
    }
    throw new Error(`The issuer leads on and on, to ${url}.`);
  }
}

/** What the pages are told of the issuer. */
export function configOf({ url }: RealIssuer, more: Partial<OidcConfig> = {}): OidcConfig {
  return { issuer: url, clientId, scope: 'openid email', ...more };
}

/** The token of somebody who signs in for it. */
export async function tokenOf(page: string, config: OidcConfig, email: string): Promise<string> {
  const completion = await new Visitor(page).signIn(config, email);
  if (completion.kind !== 'signed-in') throw new Error(`${email} is not signed in: ${JSON.stringify(completion)}`);
  return completion.token;
}
