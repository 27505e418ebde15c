/** Which part of the page is looked at. It is in the address, so that going back and reloading work. */

import { createAtom, useAtom } from '@xstate/store-preact';

export type Route =
  | { readonly kind: 'home' }
  | { readonly kind: 'room'; readonly roomId: string }
  | { readonly kind: 'translate' };

function routeOf(hash: string): Route {
  const [, first, second] = hash.split('/');
  if (first === 'rooms' && second !== undefined && second !== '') return { kind: 'room', roomId: second };
  return first === 'translate' ? { kind: 'translate' } : { kind: 'home' };
}

const route = createAtom<Route>(routeOf(location.hash));

function read(): void {
  route.set(routeOf(location.hash));
}

window.addEventListener('hashchange', read);
// An address that is put in place of another one changes no hash for the browser.
window.addEventListener('popstate', read);

export function addressOf(to: Route): string {
  if (to.kind === 'room') return `#/rooms/${to.roomId}`;
  return to.kind === 'translate' ? '#/translate' : '#/';
}

export function go(to: Route): void {
  location.hash = addressOf(to);
}

export function currentRoute(): Route {
  return route.get();
}

export function useRoute(): Route {
  return useAtom(route);
}
