/**
 * Signing in, for every page: by email in development mode, by a token that is pasted, or at the issuer that the server
 * names. What comes out is kept by access.ts.
 */

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type Access, accessOf, type Exclusion, keepAccess, useAccess, useExclusion } from './access.ts';
import { Brand } from './brand.tsx';
import { type ClientConfig, readClientConfig, requestDevToken } from './client-config.ts';
import { signInAt, signOut, usePassage } from './entrance.ts';
import { useLanguage } from './language.ts';
import type { OidcConfig } from './oidc.ts';
import { LanguageChoice } from './preferences.tsx';
import { type SharedTexts, useSharedTexts } from './texts.ts';

export interface SignInProps {
  /** The page's name. */
  readonly name: string;
  /** One sentence on what it is for. */
  readonly about: string;
  /** Asks for an operator's token. */
  readonly asAdmin?: boolean;
  /** Why one has to sign in as somebody else. */
  readonly notice?: string | undefined;
}

type Way = 'email' | 'token';

interface FieldProps {
  readonly label: string;
  readonly hint: string;
  readonly error: string | undefined;
  readonly type: 'email' | 'token';
  readonly value: string;
  onInput(value: string): void;
}

function Field({ label, hint, error, type, value, onInput }: FieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => input.current?.focus(), [type]);
  const shared = {
    id,
    ref: input,
    class: 'input',
    value,
    'aria-invalid': error !== undefined,
    'aria-describedby': `${id}-hint`,
    spellcheck: false,
    onInput: (event: { readonly currentTarget: { readonly value: string } }) => onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === 'email' ? (
        <input {...shared} type="email" name="email" autocomplete="email" inputMode="email" />
      ) : (
        <textarea {...shared} name="token" rows={4} autocomplete="off" />
      )}
      <p id={`${id}-hint`} class={error === undefined ? 'hint' : 'hint error'}>
        {error ?? hint}
      </p>
    </div>
  );
}

/** The access, or a sentence that says why there is none. */
async function accessBy(
  way: Way,
  value: string,
  language: string,
  asAdmin: boolean,
  texts: SharedTexts,
): Promise<Access | string> {
  if (way === 'token') return accessOf(value.trim().replace(/^Bearer\s+/i, '')) ?? texts.signIn.tokenInvalid;
  const email = value.trim();
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) return texts.signIn.emailInvalid;
  const answer = await requestDevToken(email, language, asAdmin ? 'admin' : undefined);
  if (!answer.ok) return answer.problem?.detail ?? texts.serverSilent;
  return accessOf(answer.token) ?? texts.signIn.tokenInvalid;
}

/** The way to the issuer; for somebody who is in and may not be here, the way out first. */
function IssuerDoor({ config }: { readonly config: OidcConfig }) {
  const texts = useSharedTexts();
  const isSomebody = useAccess() !== undefined;
  const { host } = new URL(config.issuer);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div class="form">
      <p class="hint">{texts.signIn.oidcHint(host)}</p>
      <button ref={button} type="button" class="button primary wide" onClick={() => void signInAt(config)}>
        {texts.signIn.oidc(host)}
      </button>
      {isSomebody && (
        <button type="button" class="button plain wide" onClick={() => void signOut()}>
          {texts.signOut}
        </button>
      )}
    </div>
  );
}

interface SignInFormProps {
  readonly isDevelopment: boolean;
  readonly asAdmin: boolean;
}

function SignInForm({ isDevelopment, asAdmin }: SignInFormProps) {
  const texts = useSharedTexts();
  const language = useLanguage();
  const [way, setWay] = useState<Way>(isDevelopment ? 'email' : 'token');
  const [value, setValue] = useState('');
  const [error, setError] = useState<string | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const found = await accessBy(way, value, language, asAdmin, texts).catch(() => texts.serverSilent);
    setBusy(false);
    if (typeof found === 'string') setError(found);
    else keepAccess(found);
  };
  const change = (other: Way): void => {
    setWay(other);
    setValue('');
    setError(undefined);
  };
  const isEmail = way === 'email';
  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        type={isEmail ? 'email' : 'token'}
        label={isEmail ? texts.signIn.email : texts.signIn.token}
        hint={isEmail ? texts.signIn.devHint : texts.signIn.tokenHint}
        error={error}
        value={value}
        onInput={(text) => {
          setValue(text);
          setError(undefined);
        }}
      />
      <div role="alert" class="visually-hidden">
        {error}
      </div>
      <button type="submit" class="button primary wide" aria-disabled={isBusy}>
        {isBusy ? texts.signIn.busy : texts.signIn.submit}
      </button>
      {isDevelopment && (
        <button type="button" class="button plain wide" onClick={() => change(isEmail ? 'token' : 'email')}>
          {isEmail ? texts.signIn.useToken : texts.signIn.useEmail}
        </button>
      )}
    </form>
  );
}

/** What comes before a page's work, in the middle of the screen. */
export function Threshold({ title, about, children }: ThresholdProps) {
  return (
    <main class="centered threshold">
      <section class="card">
        <header class="card-head">
          <Brand />
          <h1>{title}</h1>
          <p class="muted">{about}</p>
        </header>
        {children}
      </section>
      <footer class="threshold-foot">
        <LanguageChoice />
      </footer>
    </main>
  );
}

export interface ThresholdProps {
  readonly title: string;
  readonly about: string;
  readonly children: ComponentChildren;
}

function sentenceOf(exclusion: Exclusion, { signIn }: SharedTexts): string {
  if (typeof exclusion === 'object') return exclusion.sentence;
  return exclusion === 'issuer-silent' ? signIn.issuerSilent : signIn[exclusion];
}

export function SignIn({ name, about, asAdmin = false, notice }: SignInProps) {
  const texts = useSharedTexts();
  const exclusion = useExclusion();
  const passage = usePassage();
  const [config, setConfig] = useState<ClientConfig | 'reading' | 'silent'>('reading');
  const read = (): void => {
    setConfig('reading');
    readClientConfig().then(setConfig, () => setConfig('silent'));
  };
  useEffect(read, []);
  const why = notice ?? (exclusion === undefined ? undefined : sentenceOf(exclusion, texts));
  if (passage !== undefined) {
    return (
      <Threshold title={name} about={about}>
        <p role="status">{passage === 'in' ? texts.signIn.busy : texts.signIn.leaving}</p>
      </Threshold>
    );
  }
  return (
    <Threshold title={name} about={about}>
      {why !== undefined && (
        <p class="notice warning" role="alert">
          {why}
        </p>
      )}
      {config === 'silent' && (
        <div class="notice danger" role="alert">
          <span>{texts.serverSilent}</span>
          <button type="button" class="button plain" onClick={read}>
            {texts.retry}
          </button>
        </div>
      )}
      {typeof config === 'object' && config.mode === 'oidc' && <IssuerDoor config={config.oidc} />}
      {typeof config === 'object' && config.mode !== 'oidc' && (
        <SignInForm isDevelopment={config.mode === 'development'} asAdmin={asAdmin} />
      )}
    </Threshold>
  );
}
