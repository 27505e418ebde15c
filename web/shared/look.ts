/** Light or dark: what was chosen, else the system's own. */

import { createAtom, useAtom } from '@xstate/store-preact';

export type Look = 'system' | 'light' | 'dark';

export const looks: readonly Look[] = ['system', 'light', 'dark'];
const storageKey = 'troupe.look';

function isLook(value: string | null): value is Look {
  return looks.some((look) => look === value);
}

const stored = localStorage.getItem(storageKey);
const look = createAtom<Look>(isLook(stored) ? stored : 'system');

function tellDocument(chosen: Look): void {
  const { dataset } = document.documentElement;
  if (chosen === 'system') delete dataset.theme;
  else dataset.theme = chosen;
}

tellDocument(look.get());
look.subscribe(tellDocument);

export function chooseLook(chosen: Look): void {
  localStorage.setItem(storageKey, chosen);
  look.set(chosen);
}

export function useLook(): Look {
  return useAtom(look);
}
