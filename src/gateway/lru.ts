/** A bounded map that forgets what was used longest ago. It never holds more than `max` entries. */
export class Lru<TKey, TValue> {
  readonly #entries = new Map<TKey, TValue>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: TKey): TValue | undefined {
    const value = this.#entries.get(key);
    if (value === undefined || this.#entries.size < this.#max / 2) return value;
    // Re-inserting makes it the youngest; below half of the bound nothing is about to be forgotten.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: TKey, value: TValue): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest as TKey);
  }

  delete(key: TKey): void {
    this.#entries.delete(key);
  }
}
