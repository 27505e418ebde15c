/** The chat page: who has no token signs in, who has no profile makes one, everybody else chats. */

import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Access, currentAccess, useAccess } from '../shared/access.ts';
import { whyRefused } from '../shared/client-config.ts';
import { arrive, turnAway } from '../shared/entrance.ts';
import { language, useLanguage } from '../shared/language.ts';
import { SignIn } from '../shared/sign-in.tsx';
import { SessionContext, useChat, useSession } from './chat-context.ts';
import { ChatSession } from './chat-session.ts';
import { createChatStore } from './chat-store.ts';
import { nameOf } from './names.ts';
import { Register } from './register.tsx';
import { Shell } from './shell.tsx';
import { Loading } from './shell-parts.tsx';
import { textsOf, useTexts } from './texts.ts';

/** The server says why it does not take a token; when it has nothing against it, the token is about to end. */
async function refused(email: string): Promise<void> {
  const access = currentAccess();
  if (access?.email !== email) return;
  const sentence = await whyRefused(access.token, language.get());
  if (currentAccess() === access) turnAway(sentence === undefined ? 'expired' : { sentence });
}

function begin(access: Access): ChatSession {
  const store = createChatStore();
  const session: ChatSession = new ChatSession(store, access, language.get(), {
    // What has completed is shown as what it made.
    completed: () => undefined,
    failed: (_, problem) => session.announce(problem.detail, true),
    heard: (message) => {
      const texts = textsOf(language.get());
      const { people } = store.getSnapshot().context;
      session.announce(texts.message.arrived(nameOf(people[message.senderId], texts), message.content));
    },
    refused: () => void refused(access.email),
  });
  return session;
}

/** What is shown of a session depends on how far it has come. */
function Stage() {
  const session = useSession();
  const phase = useChat((state) => state.phase);
  if (phase === 'unregistered') return <Register />;
  if (phase === 'ready') return <Shell />;
  return (
    <main class="centered">
      <Loading isFailed={phase === 'failed'} onRetry={() => session.readAgain()} />
    </main>
  );
}

function Chat({ access }: { readonly access: Access }) {
  const tag = useLanguage();
  const [session, setSession] = useState<ChatSession | undefined>(undefined);
  // A session is its person's: tokens come and go.
  useEffect(() => {
    const begun = begin(access);
    setSession(begun);
    return () => begun.close();
  }, [access.email]);
  useEffect(() => session?.speak(tag), [session, tag]);
  if (session === undefined) return null;
  return (
    <SessionContext.Provider value={session}>
      <Stage />
    </SessionContext.Provider>
  );
}

function App() {
  const texts = useTexts();
  const access = useAccess();
  if (access === undefined) return <SignIn name="Troupe" about={texts.about} />;
  return <Chat key={access.email} access={access} />;
}

arrive();
render(<App />, document.getElementById('app') as HTMLElement);
