/** What the parts say that all pages share. */

import { type Translated, useLanguage } from './language.ts';

export interface SharedTexts {
  readonly language: string;
  readonly look: string;
  readonly looks: Readonly<Record<'system' | 'light' | 'dark', string>>;
  readonly close: string;
  readonly cancel: string;
  readonly retry: string;
  readonly signOut: string;
  readonly serverSilent: string;
  readonly signIn: {
    readonly title: string;
    readonly email: string;
    readonly devHint: string;
    readonly emailInvalid: string;
    readonly token: string;
    readonly tokenHint: string;
    readonly tokenInvalid: string;
    readonly useToken: string;
    readonly useEmail: string;
    /** To be signed in by the issuer at this host. */
    readonly oidc: (host: string) => string;
    readonly oidcHint: (host: string) => string;
    readonly submit: string;
    readonly busy: string;
    readonly leaving: string;
    readonly expired: string;
    readonly denied: string;
    readonly failed: string;
    readonly nameless: string;
    readonly issuerSilent: string;
  };
}

const english: SharedTexts = {
  language: 'Language',
  look: 'Appearance',
  looks: { system: 'System', light: 'Light', dark: 'Dark' },
  close: 'Close',
  cancel: 'Cancel',
  retry: 'Try again',
  signOut: 'Sign out',
  serverSilent: 'The server does not answer.',
  signIn: {
    title: 'Sign in',
    email: 'Email',
    devHint: 'Development mode: any address will do, nothing is sent to it.',
    emailInvalid: 'Enter an email address, such as anna@example.com.',
    token: 'Access token',
    tokenHint: 'The JWT your operator gave you.',
    tokenInvalid: 'This is not an access token of a person.',
    useToken: 'Use an access token instead',
    useEmail: 'Use an email address instead',
    oidc: (host) => `Sign in with ${host}`,
    oidcHint: (host) => `You continue at ${host} and come back here.`,
    submit: 'Sign in',
    busy: 'Signing in…',
    leaving: 'Signing out…',
    expired: 'Your access has expired. Sign in again to go on.',
    denied: 'You are not signed in: access was not granted. You can try again.',
    failed: 'Signing in did not succeed. Try again; if it fails again, ask your operator.',
    nameless: 'The sign-in service did not say your email address, which is needed here. Ask your operator.',
    issuerSilent: 'The sign-in service does not answer. Try again in a moment.',
  },
};

const ukrainian: SharedTexts = {
  language: 'Мова',
  look: 'Вигляд',
  looks: { system: 'Системний', light: 'Світлий', dark: 'Темний' },
  close: 'Закрити',
  cancel: 'Скасувати',
  retry: 'Спробувати знову',
  signOut: 'Вийти',
  serverSilent: 'Сервер не відповідає.',
  signIn: {
    title: 'Вхід',
    email: 'Електронна пошта',
    devHint: 'Режим розробки: підійде будь-яка адреса, на неї нічого не надсилається.',
    emailInvalid: 'Введіть електронну адресу, наприклад anna@example.com.',
    token: 'Токен доступу',
    tokenHint: 'JWT, який дав вам оператор.',
    tokenInvalid: 'Це не токен доступу особи.',
    useToken: 'Увійти з токеном доступу',
    useEmail: 'Увійти з електронною адресою',
    oidc: (host) => `Увійти через ${host}`,
    oidcHint: (host) => `Ви перейдете на ${host} і повернетеся сюди.`,
    submit: 'Увійти',
    busy: 'Входимо…',
    leaving: 'Виходимо…',
    expired: 'Термін доступу минув. Увійдіть знову, щоб продовжити.',
    denied: 'Ви не увійшли: доступ не надано. Можна спробувати ще раз.',
    failed: 'Увійти не вдалося. Спробуйте ще раз; якщо знову не вийде, зверніться до оператора.',
    nameless: 'Служба входу не повідомила вашу електронну адресу, а вона тут потрібна. Зверніться до оператора.',
    issuerSilent: 'Служба входу не відповідає. Спробуйте за мить.',
  },
};

const italian: SharedTexts = {
  language: 'Lingua',
  look: 'Aspetto',
  looks: { system: 'Sistema', light: 'Chiaro', dark: 'Scuro' },
  close: 'Chiudi',
  cancel: 'Annulla',
  retry: 'Riprova',
  signOut: 'Esci',
  serverSilent: 'Il server non risponde.',
  signIn: {
    title: 'Accedi',
    email: 'Email',
    devHint: 'Modalità di sviluppo: va bene qualsiasi indirizzo, non si invia nulla.',
    emailInvalid: 'Scrivi un indirizzo email, per esempio anna@example.com.',
    token: 'Token di accesso',
    tokenHint: 'Il JWT che ti ha dato l’operatore.',
    tokenInvalid: 'Questo non è il token di accesso di una persona.',
    useToken: 'Usa invece un token di accesso',
    useEmail: 'Usa invece un indirizzo email',
    oidc: (host) => `Accedi con ${host}`,
    oidcHint: (host) => `Continui su ${host} e poi torni qui.`,
    submit: 'Accedi',
    busy: 'Accesso in corso…',
    leaving: 'Uscita in corso…',
    expired: 'L’accesso è scaduto. Accedi di nuovo per continuare.',
    denied: 'Non hai effettuato l’accesso: non è stato concesso. Puoi riprovare.',
    failed: 'L’accesso non è riuscito. Riprova; se succede ancora, chiedi all’operatore.',
    nameless: 'Il servizio di accesso non ha comunicato il tuo indirizzo email, che qui serve. Chiedi all’operatore.',
    issuerSilent: 'Il servizio di accesso non risponde. Riprova fra poco.',
  },
};

const texts: Translated<SharedTexts> = { en: english, uk: ukrainian, it: italian };

export function useSharedTexts(): SharedTexts {
  return texts[useLanguage()];
}
