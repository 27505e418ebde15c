/**
 * Steps of one actor's history that have been read, page by page around where somebody looks. At most `pagesMax` pages
 * and `charactersMax` of text are kept, and always the newest two; those that were looked at longest ago leave.
 */

import type { HistoryPage, HistoryStep, InitialState } from '../../src/inspect/answers.ts';

export const pageSize = 100;
export const pagesMax = 30;
export const charactersMax = 16_000_000;
/** The step that is shown and the one before it may be on two pages. */
const pagesMin = 2;

interface Kept {
  readonly page: HistoryPage;
  readonly characters: number;
}

export class StepPages {
  readonly #pages = new Map<number, Kept>();
  #characters = 0;

  /** The step at a version, if it has been read. */
  at(version: number): HistoryStep | undefined {
    return this.#page(version)?.steps.find((step) => step.version === version);
  }

  /** What the actor was before it took the event of a version, if that has been read. */
  before(version: number): InitialState | undefined {
    const { steps = [], initial } = this.#page(version) ?? {};
    return (
      steps.find((step) => step.version === version - 1) ?? (initial?.version === version - 1 ? initial : undefined)
    );
  }

  /** The `after` to ask for, so that the page with this version is read. */
  static after(version: number): number {
    return Math.floor((Math.max(1, version) - 1) / pageSize) * pageSize;
  }

  /** Takes a page that was asked for with this `after`, and came as so much text. */
  add(after: number, page: HistoryPage, characters: number): void {
    const number = Math.floor(after / pageSize);
    this.#drop(number);
    this.#pages.set(number, { page, characters });
    this.#characters += characters;
    for (const oldest of this.#pages.keys()) {
      const isTooMuch = this.#pages.size > pagesMax || this.#characters > charactersMax;
      if (!isTooMuch || this.#pages.size <= pagesMin) break;
      this.#drop(oldest);
    }
  }

  /** All steps that are there, oldest first. */
  all(): readonly HistoryStep[] {
    return [...this.#pages.entries()].sort(([a], [b]) => a - b).flatMap(([, { page }]) => page.steps);
  }

  #page(version: number): HistoryPage | undefined {
    const number = Math.floor(StepPages.after(version) / pageSize);
    const kept = this.#pages.get(number);
    if (kept === undefined) return undefined;
    this.#pages.delete(number);
    this.#pages.set(number, kept);
    return kept.page;
  }

  #drop(number: number): void {
    this.#characters -= this.#pages.get(number)?.characters ?? 0;
    this.#pages.delete(number);
  }
}
