/**
 * What the clients of a crash test know: each command they sent, the operation it became, and the outcome they were
 * told. Whatever contradicts an earlier answer is a violation at once.
 */

import type { SagaName } from '../../actors/contract.ts';
import type { Command } from '../e2e/commands.ts';
import type { Problem } from '../e2e/http-client.ts';

/** Somebody who can sign in. */
export interface Account {
  readonly email: string;
  readonly id: string;
  readonly token: string;
}

export interface Intent {
  readonly who: Account;
  readonly command: Command;
  /** Codes it may fail with beside those of a crash. */
  readonly mayFailWith: readonly string[];
  /** Whether it breaks a rule, and so must not complete. */
  readonly mustFail: boolean;
}

export interface Outcome {
  readonly state: 'COMPLETED' | 'ERROR';
  /** Of the DTO, when it completed. */
  readonly result?: { readonly id: string };
  readonly code?: string;
}

export interface Entry extends Intent {
  /** Its idempotency key. */
  readonly key: string;
  /** Before anything was sent, on the ledger's own clock. */
  readonly sent: number;
  operationId?: string;
  outcome?: Outcome;
  /** When its outcome was known first. */
  ended?: number;
}

/** An operation that was under way at a crash may time out, or find another one in its way. */
const crashCodes: readonly string[] = ['OPERATION_TIMEOUT', 'OPERATION_PENDING'];
const violationsMax = 30;

export function completed(result: { readonly id: string } | undefined): Outcome {
  return result === undefined ? { state: 'COMPLETED' } : { state: 'COMPLETED', result };
}

export function failed(problem: Problem | undefined): Outcome {
  return { state: 'ERROR', code: problem?.code ?? 'no problem' };
}

export class Ledger {
  readonly entries: Entry[] = [];
  readonly violations: string[] = [];
  /** Operations are retired: one that completed long ago has no result any more. */
  retires = false;
  /** Outcomes that were told so far. */
  acknowledged = 0;
  /** Attempts that ended without an answer. */
  retries = 0;
  #clock = 0;

  open(intent: Intent): Entry {
    this.#clock += 1;
    const entry: Entry = { ...intent, key: `key-${this.entries.length}`, sent: this.#clock };
    this.entries.push(entry);
    return entry;
  }

  identified(entry: Entry, operationId: string): void {
    if (entry.operationId !== undefined && entry.operationId !== operationId) {
      this.violation(entry, `was operation ${entry.operationId}, and is ${operationId} when repeated`);
    }
    entry.operationId = operationId;
  }

  ended(entry: Entry, outcome: Outcome): void {
    const { outcome: before } = entry;
    if (before !== undefined) {
      const isSame = before.state === outcome.state && before.code === outcome.code;
      const isReduced = this.retires && outcome.result === undefined;
      const isSameResult = isReduced || before.result?.id === outcome.result?.id;
      if (!isSame || !isSameResult) {
        this.violation(entry, `ended as ${JSON.stringify(before)}, and then as ${JSON.stringify(outcome)}`);
      }
      return;
    }
    this.#clock += 1;
    entry.outcome = outcome;
    entry.ended = this.#clock;
    this.acknowledged += 1;
    if (outcome.state === 'COMPLETED' && entry.mustFail) this.violation(entry, 'completed against a rule');
    const allowed = [...entry.mayFailWith, ...crashCodes];
    if (outcome.code !== undefined && !allowed.includes(outcome.code)) {
      this.violation(entry, `failed with ${outcome.code}, which cannot be`);
    }
  }

  violation(entry: Entry | undefined, sentence: string): void {
    if (this.violations.length >= violationsMax) return;
    const about =
      entry === undefined
        ? ''
        : `${entry.command.type} ${entry.key} (${entry.operationId ?? 'no id'}) ${entry.who.email} `;
    this.violations.push(`${about}${sentence}`);
  }

  /** Entries of a saga that completed. */
  completed(type: SagaName): readonly Entry[] {
    return this.entries.filter(({ command, outcome }) => command.type === type && outcome?.state === 'COMPLETED');
  }

  count(state: Outcome['state']): number {
    return this.entries.filter(({ outcome }) => outcome?.state === state).length;
  }
}
