/** What every part of the page works with: the calls, and what is live. */

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { InspectApi } from './inspect-api.ts';
import type { InspectionStore } from './inspection.ts';
import type { RollCall } from './roll-call.ts';

export interface Desk {
  readonly api: InspectApi;
  readonly inspection: InspectionStore;
  /** The nodes, as they were seen last. */
  readonly roll: { current: RollCall | undefined };
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === undefined) throw new Error('Nothing is inspected before somebody has signed in.');
  return desk;
}
