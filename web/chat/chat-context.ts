/** The session and its store, for every component. */

import { useSelector } from '@xstate/store-preact';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ChatSession } from './chat-session.ts';
import type { ChatState } from './chat-state.ts';

export const SessionContext = createContext<ChatSession | undefined>(undefined);

export function useSession(): ChatSession {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('There is no session around this component.');
  return session;
}

/** What a component shows of the state; it is drawn again when this changes. */
export function useChat<T>(select: (state: ChatState) => T): T {
  return useSelector(useSession().store, ({ context }) => select(context));
}
