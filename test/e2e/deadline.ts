/** Waiting for something that happens elsewhere: never longer than a deadline, which is for slow machines only. */

export const deadlineMs = 30_000;
const pauseMs = 10;

export function within<T>(promise: Promise<T>, what: () => string, ms = deadlineMs): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what()} (waited ${ms} ms)`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Looks again and again until `look` gives something. */
export async function poll<T>(look: () => Promise<T | undefined>, what: string, ms = deadlineMs): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > end) throw new Error(`${what} (waited ${ms} ms)`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
