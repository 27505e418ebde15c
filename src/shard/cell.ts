/**
 * A cell: the resident form of an actor, as it stands after the newest turn (committed or not; the shard drops all cells
 * when a commit fails). Rehydration makes one from a snapshot and the journal's tail after it, without side effects.
 */

import type { AnyMachineSnapshot } from 'xstate';
import { type Address, idOf } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';
import type { HostedMachine, MachineStep } from '../actor/logic.ts';
import { messageOf, TroupeError } from '../errors.ts';
import { decode } from '../journal/codec.ts';
import type { ActorRecord, Journal, JournalEntry } from '../journal/journal.ts';

export interface Cell {
  readonly address: Address;
  readonly id: string;
  readonly hosted: HostedMachine;
  state: AnyMachineSnapshot;
  /** What entering the initial state emits and schedules; taken with the first event. */
  birth: MachineStep | undefined;
  /** Events accepted so far; 0 for an actor that does not exist. */
  version: number;
  /** Version of its newest snapshot, 0 without one. */
  snapshotVersion: number;
  /** `seq` of its entries after that snapshot. */
  tail: number[];
  /** Journaled bytes after that snapshot. */
  tailBytes: number;
  /** Its newest snapshot was larger than a record may be, so that the tail goes on growing. */
  isTooLarge: boolean;
  /** It was folded from its first event: its next commit has a snapshot, since what is in its tail may be trimmed. */
  needsSnapshot: boolean;
  /** Version at which it was retired, if it was. */
  retired: number | undefined;
  /** Version at which a snapshot was asked for before it is dropped from memory. */
  leaving: number | undefined;
  /** Number of the newest commit that holds a change of it. */
  commit: number;
  /** Monotonic ms of its last use. */
  usedAt: number;
}

/** Entries read at once when an actor is rebuilt from the whole journal of its shard. */
const scanPage = 1_000;

/** What `hosted` is born as. Throws MACHINE_FAILED: no attempt at it will ever go better. */
function birthOf(address: Address, id: string, hosted: HostedMachine): MachineStep {
  try {
    return hosted.initial(id);
  } catch (error) {
    throw new TroupeError('MACHINE_FAILED', `${address} has no initial state: ${messageOf(error)}`, {}, error);
  }
}

/** An actor that has accepted nothing. Its initial effects are taken with its first event. Throws MACHINE_FAILED. */
export function absentCell(address: Address, hosted: HostedMachine): Cell {
  const birth = birthOf(address, idOf(address), hosted);
  return { ...cellAt(address, hosted, birth.state), birth };
}

function cellAt(address: Address, hosted: HostedMachine, state: AnyMachineSnapshot): Cell {
  return {
    address,
    id: idOf(address),
    hosted,
    state,
    birth: undefined,
    version: 0,
    snapshotVersion: 0,
    tail: [],
    tailBytes: 0,
    isTooLarge: false,
    needsSnapshot: false,
    retired: undefined,
    leaving: undefined,
    commit: 0,
    usedAt: 0,
  };
}

export function eventOf(entry: JournalEntry): AnyEvent {
  return decode<AnyEvent>(entry.payload);
}

/** The cell behind a record, or undefined when the record's snapshot is missing or of another machine version. */
function fromRecord(hosted: HostedMachine, record: ActorRecord): Cell | undefined {
  const { index, snapshot, tail } = record;
  let state: AnyMachineSnapshot | undefined;
  if (index.snapshotVersion > 0) {
    state = snapshot === undefined ? undefined : hosted.restore(snapshot.payload);
    if (state === undefined) return undefined;
  }
  const id = idOf(index.actor);
  const cell = cellAt(index.actor, hosted, hosted.fold(id, state, tail.map(eventOf)));
  cell.retired = snapshot === undefined ? undefined : hosted.retiredAt(snapshot.payload);
  cell.version = index.version;
  cell.snapshotVersion = index.snapshotVersion;
  cell.tail = [...index.tail];
  cell.tailBytes = tail.reduce((bytes, entry) => bytes + entry.payload.length, 0);
  return cell;
}

/** Rebuilds an actor from the shard's whole journal and its archive: slow, and right whatever became of its snapshot. */
async function fromJournal(
  journal: Journal,
  shard: number,
  hosted: HostedMachine,
  address: Address,
  retired: number | undefined,
): Promise<Cell> {
  const cell = { ...absentCell(address, hosted), needsSnapshot: true, retired };
  for (let after = 0; ; ) {
    const page = await journal.readEntries(shard, after, scanPage);
    for (const entry of page) {
      after++;
      if (entry instanceof Error) throw entry;
      after = entry.seq;
      if (entry.actor !== address) continue;
      cell.state = hosted.fold(cell.id, cell.state, [eventOf(entry)]);
      cell.birth = undefined;
      cell.version = entry.version;
      if (cell.version === retired) cell.state = hosted.reduced(cell.state) ?? cell.state;
      cell.tail.push(entry.seq);
      cell.tailBytes += entry.payload.length;
    }
    if (page.length < scanPage) return cell;
  }
}

/**
 * The cell of an actor as the journal has it. Rejects with ACTOR_DAMAGED (naming it) when its records cannot be read or
 * folded, with MACHINE_FAILED when it does not exist and cannot begin to, and with what the journal rejects with when it cannot be asked.
 */
export async function rehydrate(
  journal: Journal,
  shard: number,
  hosted: HostedMachine,
  address: Address,
  record: ActorRecord | Error | undefined,
): Promise<Cell> {
  if (record === undefined) return absentCell(address, hosted);
  if (record instanceof Error) throw record;
  try {
    const cell = fromRecord(hosted, record);
    if (cell !== undefined) return cell;
    // Its stamp says when it was retired also to a version of the machine that cannot read the rest.
    const retired = record.snapshot === undefined ? undefined : hosted.retiredAt(record.snapshot.payload);
    return await fromJournal(journal, shard, hosted, address, retired);
  } catch (error) {
    if (error instanceof TroupeError && error.code !== 'MACHINE_FAILED') throw error;
    throw new TroupeError(
      'ACTOR_DAMAGED',
      `${address} cannot be rebuilt from its journal: ${messageOf(error)}`,
      { actor: address },
      error,
    );
  }
}
