/**
 * What has been typed and not sent, by the room or message that it is for. It is kept with the tab, so that whoever leaves
 * to sign in again finds it, and under its owner's name, so that nobody else does.
 */

const storageKey = 'troupe.drafts';
/** The oldest makes room for one more. */
const draftsMax = 100;

export class Drafts {
  readonly #owner: string;
  readonly #texts: Map<string, string>;

  constructor(owner: string) {
    this.#owner = owner;
    this.#texts = new Map(this.#stored());
  }

  of(key: string): string | undefined {
    return this.#texts.get(key);
  }

  /** An empty text is no draft. */
  write(key: string, text: string): void {
    this.#texts.delete(key);
    if (text !== '') this.#texts.set(key, text);
    const oldest = this.#texts.keys().next().value;
    if (this.#texts.size > draftsMax && oldest !== undefined) this.#texts.delete(oldest);
    this.#keep();
  }

  forget(): void {
    this.#texts.clear();
    sessionStorage.removeItem(storageKey);
  }

  #keep(): void {
    try {
      sessionStorage.setItem(storageKey, JSON.stringify({ owner: this.#owner, texts: [...this.#texts] }));
    } catch {
      // Full: drafts are then not kept over a reload.
    }
  }

  #stored(): readonly (readonly [string, string])[] {
    const kept = sessionStorage.getItem(storageKey);
    if (kept === null) return [];
    const { owner, texts } = JSON.parse(kept) as { owner: string; texts: readonly (readonly [string, string])[] };
    return owner === this.#owner ? texts : [];
  }
}
