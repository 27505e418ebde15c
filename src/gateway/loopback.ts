/**
 * What only this machine reaches. Development mode and plain http without TLS are for such addresses alone; nothing here
 * resolves a name, so that no answer of a name server can make another address one of them.
 */

/** 127.0.0.0/8, ::1 and localhost; without port and brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** The host that a URL names, without port and brackets; undefined for what names none. */
export function hostIn(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : undefined;
}

/** Whether what comes from a URL comes from whom it names: https, or this machine. */
export function isAuthentic(url: string): boolean {
  const host = hostIn(url);
  if (host === undefined) return false;
  const { protocol } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(host));
}
