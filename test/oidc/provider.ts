/**
 * A real issuer on loopback: oidc-provider as it is, with people in memory and two forms of its own, since those that come
 * with it load their fonts from elsewhere. What a real one never does (forged tokens, broken answers) is for
 * `stand-in-issuer.ts`.
 */

/// <reference path="./oidc-provider.d.ts" />

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { type Interaction, Provider } from 'oidc-provider';

export const clientId = 'troupe-pages';
/** A client of somebody else's at the same issuer. */
export const otherClientId = 'another';
/** What access tokens are for, if they are asked for. */
export const audience = 'https://chat.example.com/api';

export interface RealIssuerOptions {
  /** Addresses of the pages that may be come back to. */
  readonly pages: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
}

/** What is said of a person beside the email. */
interface Account {
  readonly email_verified: boolean;
  readonly roles?: readonly string[];
}

interface LogoutContext {
  body: string;
  type: string;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`;
}

const loginForm = page(
  'Who are you',
  '<form method="post"><label>Email <input name="email" type="email"></label><button>Continue</button></form>',
);
const consentForm = page(
  'May they know you',
  '<form method="post"><button name="answer" value="allow">Allow</button><button name="answer" value="deny">Deny</button></form>',
);

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const part of request) text += String(part);
  return new URLSearchParams(text);
}

export class RealIssuer {
  readonly url: string;
  /** Everybody else is somebody whose email is verified. */
  readonly accounts = new Map<string, Account>();
  /** Of tokens issued from then on. */
  tokenSeconds = 3_600;
  /** Whether what is issued from then on can be renewed. */
  isRenewable = true;
  /** Answers 503 to whatever it is asked for there. */
  away: (path: string) => boolean = () => false;
  /** Tokens given, by the grant they were given for. */
  readonly grants: string[] = [];
  /** Paths of calls, in their order. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #provider: Provider;

  private constructor(server: Server, jwks: object, options: RealIssuerOptions) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#provider = new Provider(this.url, { ...this.#configuration(options), jwks });
    this.#provider.on('grant.success', ({ oidc }) => this.grants.push(oidc.params.grant_type));
    const answer = this.#provider.callback();
    server.on('request', (request, response) => {
      const { pathname } = new URL(request.url ?? '/', this.url);
      this.asked.push(`${request.method} ${pathname}`);
      if (this.away(pathname)) response.writeHead(503).end();
      else if (pathname.startsWith('/interaction/')) void this.#interact(request, response);
      else void answer(request, response);
    });
  }

  static async open(options: RealIssuerOptions): Promise<RealIssuer> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const server = createServer();
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    const key = { ...(await exportJWK(privateKey)), kid: 'real', alg: 'RS256', use: 'sig' };
    return new RealIssuer(server, { keys: [key] }, options);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #claimsOf(email: string): Readonly<Record<string, unknown>> {
    return { email, ...(this.accounts.get(email) ?? { email_verified: true }) };
  }

  #configuration({ pages }: RealIssuerOptions): object {
    const client = {
      redirect_uris: pages,
      post_logout_redirect_uris: pages,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    };
    const seconds = (): number => this.tokenSeconds;
    const lasting = 86_400;
    return {
      clients: [clientId, otherClientId].map((id) => ({ ...client, client_id: id })),
      clientBasedCORS: (_: unknown, origin: string) => pages.some((url) => new URL(url).origin === origin),
      // As most issuers do: the email is in the ID token, not only where it has to be asked for.
      conformIdTokenClaims: false,
      claims: { email: ['email', 'email_verified', 'roles'] },
      cookies: { keys: ['of the test'] },
      findAccount: (_: unknown, email: string) => ({
        accountId: email,
        claims: () => ({ sub: email, ...this.#claimsOf(email) }),
      }),
      extraTokenClaims: (_: unknown, token: { readonly accountId: string }) => this.#claimsOf(token.accountId),
      issueRefreshToken: (_: unknown, __: unknown, { scopes }: { readonly scopes: ReadonlySet<string> }) =>
        this.isRenewable && scopes.has('offline_access'),
      interactions: { url: (_: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
      renderError: (context: LogoutContext, { error, error_description: why }: Readonly<Record<string, string>>) => {
        context.type = 'html';
        context.body = page(error ?? 'error', why ?? '');
      },
      ttl: {
        AccessToken: seconds,
        IdToken: seconds,
        ...Object.fromEntries(['Session', 'Grant', 'Interaction', 'RefreshToken'].map((kind) => [kind, lasting])),
      },
      features: {
        devInteractions: { enabled: false },
        revocation: { enabled: true },
        rpInitiatedLogout: {
          logoutSource: (context: LogoutContext, form: string) => {
            context.body = page(
              'Leave',
              `${form}<button form="op.logoutForm" name="logout" value="yes">Yes, leave</button>`,
            );
          },
        },
        resourceIndicators: {
          enabled: true,
          defaultResource: (_: unknown, __: unknown, one: unknown) => one,
          getResourceServerInfo: () => ({
            scope: 'chat',
            audience,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    };
  }

  async #interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const interaction = await this.#provider.interactionDetails(request, response);
    const isLogin = interaction.prompt.name === 'login';
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(isLogin ? loginForm : consentForm);
      return;
    }
    const form = await formOf(request);
    const result = isLogin ? { login: { accountId: form.get('email') } } : await this.#consent(interaction, form);
    await this.#provider.interactionFinished(request, response, result, { mergeWithLastSubmission: !isLogin });
  }

  async #consent({ prompt, params, session, grantId }: Interaction, form: URLSearchParams): Promise<object> {
    if (form.get('answer') === 'deny') return { error: 'access_denied', error_description: 'the person said no' };
    const found = grantId === undefined ? undefined : await this.#provider.Grant.find(grantId);
    const grant = found ?? new this.#provider.Grant({ accountId: session?.accountId, clientId: params.client_id });
    const { missingOIDCScope, missingOIDCClaims, missingResourceScopes = {} } = prompt.details;
    if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(' '));
    if (missingOIDCClaims !== undefined) grant.addOIDCClaims(missingOIDCClaims);
    for (const [resource, scopes] of Object.entries(missingResourceScopes))
      grant.addResourceScope(resource, scopes.join(' '));
    return { consent: { grantId: await grant.save() } };
  }
}
