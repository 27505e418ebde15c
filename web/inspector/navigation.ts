/** The place in the address line, as a store. Scrubbing replaces the entry of the browser's history, going adds one. */

import { createStore } from '@xstate/store';
import { type Place, placeOf, searchOf } from './place.ts';

export const navigation = createStore({
  context: { place: placeOf(location.search) },
  on: { arrive: (_, { place }: { place: Place }) => ({ place }) },
});

/** Browsers refuse more than a few hundred changes of the address a minute. */
const replaceMs = 250;
let replacing: ReturnType<typeof setTimeout> | undefined;

function hrefOf(place: Place): string {
  return `${location.pathname}${searchOf(place)}`;
}

export function go(place: Place): void {
  clearTimeout(replacing);
  if (searchOf(place) !== location.search) history.pushState(null, '', hrefOf(place));
  navigation.trigger.arrive({ place });
  // What one came from may have been far down.
  scrollTo(0, 0);
}

/** Says in the address line where one is; nobody is told, since whoever says it is there. */
export function settle(place: Place): void {
  clearTimeout(replacing);
  replacing = setTimeout(() => history.replaceState(null, '', hrefOf(place)), replaceMs);
}

addEventListener('popstate', () => {
  clearTimeout(replacing);
  navigation.trigger.arrive({ place: placeOf(location.search) });
});
