/** The frame of the inspector: who is in, the search, whether it is live, and the view of the place one is at. */

import { useSelector } from '@xstate/store-preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Access, useAccess } from '../shared/access.ts';
import { Brand } from '../shared/brand.tsx';
import { signOut } from '../shared/entrance.ts';
import { Icon } from '../shared/icon.tsx';
import { LookChoice } from '../shared/preferences.tsx';
import { SignIn, Threshold } from '../shared/sign-in.tsx';
import { ActorView } from './actor-view.tsx';
import { type Desk, DeskContext } from './desk.ts';
import { ApiFailure, InspectApi } from './inspect-api.ts';
import { watch } from './inspect-socket.ts';
import { type Connection, createInspection } from './inspection.ts';
import { navigation } from './navigation.ts';
import { OperationView } from './operation-view.tsx';
import { OverviewView } from './overview-view.tsx';
import { overview, type Place, searchOf, titleOf } from './place.ts';
import { SearchBox } from './search-box.tsx';
import { PlaceLink } from './words.tsx';

const connectionTexts: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Reconnecting',
  refused: 'Refused',
};

function watchedAt(place: Place): { readonly actor?: string; readonly operation?: string } {
  if (place.view === 'actor') return { actor: place.actor };
  return place.view === 'operation' ? { operation: place.operation } : {};
}

function View({ place }: { readonly place: Place }) {
  switch (place.view) {
    case 'overview':
      return <OverviewView />;
    case 'actor':
      return <ActorView key={place.actor} place={place} />;
    case 'operation':
      return <OperationView key={place.operation} id={place.operation} />;
  }
}

function TopBar({ connection, email }: { readonly connection: Connection; readonly email: string }) {
  return (
    <header class="top">
      <PlaceLink class="top-brand" place={overview} aria-label="Troupe inspector, overview">
        <Brand name="Inspector" />
      </PlaceLink>
      <SearchBox />
      <p class={`connection is-${connection}`} role="status">
        <span class="dot" aria-hidden="true" />
        {connectionTexts[connection]}
      </p>
      <LookChoice />
      <button
        type="button"
        class="icon-button"
        aria-label={`Sign out ${email}`}
        title={email}
        onClick={() => void signOut()}
      >
        <Icon name="signOut" />
      </button>
    </header>
  );
}

interface InspectorProps {
  readonly email: string;
  readonly onRefused: (failure: ApiFailure) => void;
}

/** What a screen reader says, and where the keyboard goes on, when one has gone somewhere else. */
function useTitleAndFocus(place: Place): void {
  const where = place.view === 'actor' ? place.actor : searchOf(place);
  const last = useRef(where);
  useEffect(() => {
    document.title = titleOf(place);
    if (last.current !== where) document.getElementById('main')?.focus({ preventScroll: true });
    last.current = where;
  }, [where]);
}

function Inspector({ email, onRefused }: InspectorProps) {
  const place = useSelector(navigation, ({ context }) => context.place);
  const { actor, operation } = watchedAt(place);
  const desk = useMemo<Desk>(
    () => ({ api: new InspectApi(onRefused), inspection: createInspection(), roll: { current: undefined } }),
    [onRefused],
  );
  useEffect(() => {
    desk.inspection.trigger.clear();
    return watch({ actor, operation }, desk.inspection);
  }, [desk, actor, operation]);
  const connection = useSelector(desk.inspection, ({ context }) => context.connection);
  useTitleAndFocus(place);
  return (
    <DeskContext.Provider value={desk}>
      <div class="frame">
        <TopBar connection={connection} email={email} />
        {connection === 'lost' ? (
          <p class="notice warning banner" role="alert">
            The connection is lost. What you see may be old; it is tried again.
          </p>
        ) : null}
        <View place={place} />
      </div>
    </DeskContext.Provider>
  );
}

const name = 'Inspector';
const about = 'Actors, their statecharts and their whole history. For operators.';

/** An issuer's token does not say who is an operator: the server is asked before anything is shown. */
function Door({ access, onRefused }: { readonly access: Access; readonly onRefused: (failure: ApiFailure) => void }) {
  const [isOpen, setOpen] = useState(access.isAdmin === true);
  useEffect(() => {
    if (isOpen) return;
    const open = (): void => setOpen(true);
    // What else goes wrong is said by the views, each for itself.
    new InspectApi(onRefused).types().then(open, (error: unknown) => {
      if (!(error instanceof ApiFailure && error.isRefused)) open();
    });
  }, [isOpen, onRefused]);
  if (isOpen) return <Inspector email={access.email} onRefused={onRefused} />;
  return (
    <Threshold title={name} about={about}>
      <p role="status">Asking whether {access.email} is an operator…</p>
    </Threshold>
  );
}

interface Refusal {
  readonly email: string;
  readonly failure: ApiFailure;
}

/** Why somebody who is signed in may not be here. */
function noticeOf({ email, isAdmin }: Access, failure: ApiFailure | undefined): string | undefined {
  if (failure !== undefined && failure.code !== 'ADMIN_REQUIRED') return failure.message;
  return failure === undefined && isAdmin !== false ? undefined : `${email} is not an operator. Sign in as one.`;
}

export function App() {
  const access = useAccess();
  const email = access?.email ?? '';
  const [refusal, setRefusal] = useState<Refusal>();
  const refuse = useMemo(() => (failure: ApiFailure) => setRefusal({ email, failure }), [email]);
  // Somebody else, or the same one signed in anew, is asked anew.
  useEffect(() => setRefusal(undefined), [access]);
  const notice = access && noticeOf(access, refusal?.email === email ? refusal.failure : undefined);
  if (access !== undefined && notice === undefined) return <Door key={email} access={access} onRefused={refuse} />;
  return <SignIn name={name} about={about} asAdmin notice={notice} />;
}
