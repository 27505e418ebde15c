/**
 * The records in the adapter's keys, as bytes. Each is sealed with a CRC-32 over the name it is kept under and its body,
 * so that a record that was changed, cut or moved to another name is found when it is read. The body is a payload as it
 * was handed over, or a msgpack array. An entry of the journal is a stream entry with named fields instead, for redis-cli.
 */

import { crc32 } from 'node:zlib';
import type { Address } from '../../actor/address.ts';
import { decode, encode } from '../codec.ts';
import type {
  ActorIndex,
  DeadLetterRecord,
  Head,
  JournalEntry,
  SnapshotRecord,
  TimerKey,
  TimerRecord,
} from '../journal.ts';
import { uuidText, writeUuid } from '../uuid-bytes.ts';
import type { CommandBytes } from './resp.ts';

/** Checksum of a body that is kept under `name`. */
export function checksum(name: string, body: Uint8Array): number {
  return crc32(body, crc32(name));
}

export function sealInto(command: CommandBytes, name: string, body: Uint8Array): void {
  command.sealed(undefined, checksum(name, body), body);
}

/** The body of the record `name`; undefined when it is damaged. */
export function unsealed(name: string, record: Buffer): Buffer | undefined {
  if (record.length < 4) return undefined;
  const body = record.subarray(4);
  return record.readUInt32BE(0) === checksum(name, body) ? body : undefined;
}

/** Checksum of a shard's head, as text. */
export function headChecksum({ commits, seq, commitId }: Head): string {
  return String(crc32(`${commits} ${seq} ${commitId}`));
}

/** Version, snapshot's version, then the tail as its first seq and the distances between its seqs (read in reads.lua). */
export function encodeIndex({ version, snapshotVersion, tail }: ActorIndex): Uint8Array {
  const numbers = [version, snapshotVersion];
  let before = 0;
  for (const seq of tail) {
    numbers.push(seq - before);
    before = seq;
  }
  return encode(numbers);
}

export function decodeIndex(actor: Address, body: Uint8Array): ActorIndex {
  const [version = 0, snapshotVersion = 0, ...distances] = decode<readonly number[]>(body);
  let seq = 0;
  const tail = distances.map((distance) => {
    seq += distance;
    return seq;
  });
  return { actor, version, snapshotVersion, tail };
}

/**
 * The body of a snapshot record: its version as a number of msgpack, then the payload. An actor without a tail has this
 * in the place of its index: its first byte, no head of an array, tells (also commit.lua and reads.lua).
 */
export function encodeSnapshot(version: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([encode(version), payload]);
}

export function decodeSnapshot(actor: Address, body: Buffer): SnapshotRecord {
  const size = sizeOfNumber(body[0] ?? 0);
  return { actor, version: decode<number>(body.subarray(0, size)), payload: body.subarray(size) };
}

export function isSnapshot(body: Buffer): boolean {
  return sizeOfNumber(body[0] ?? 0) > 0;
}

/** Bytes of the msgpack number that begins with this one, of those a version is; 0 if none does. */
function sizeOfNumber(first: number): number {
  if (first < 0x80) return 1;
  return first >= 0xcc && first <= 0xcf ? 1 + (1 << (first - 0xcc)) : 0;
}

/** Set in the last character of a type that the 16 bytes of an id follow: no address has it. */
const endBit = 0x80;

/** The field of an actor: its type and the bytes of its id. */
export function actorField(actor: Address): Uint8Array {
  const slash = actor.indexOf('/');
  const field = Buffer.allocUnsafe(Math.max(0, slash) + 16);
  if (slash < 1 || actor.length !== slash + 37 || !writeUuid(actor, field, slash, slash + 1)) return Buffer.from(actor);
  field.write(actor, 0, slash, 'latin1');
  field[slash - 1] = actor.charCodeAt(slash - 1) | endBit;
  return field;
}

export function actorOfField(field: Buffer): Address {
  const end = field.findIndex((byte) => byte >= endBit);
  if (end < 0) return field.toString('latin1') as Address;
  const last = String.fromCharCode((field[end] as number) & ~endBit);
  return `${field.toString('latin1', 0, end)}${last}/${uuidText(field, end + 1)}`;
}

/** Before a row's key whose UUID stands as bytes: no other key begins with it. */
export const idMark = 1;

/** The key of a row as it stands in a member: that of a UUID and more begins with a byte and the 16 of the UUID. */
export function rowKeyBytes(key: string): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(17, key.length));
  if (key.length < 36 || !writeUuid(key, bytes, 1)) return Buffer.from(key, 'latin1');
  bytes[0] = idMark;
  bytes.write(key.slice(36), 17, 'latin1');
  return bytes.subarray(0, key.length - 19);
}

/** The key at the beginning of a member, and where its zero byte stands; undefined when there is none. */
export function readRowKey(member: Buffer): { readonly key: string; readonly end: number } | undefined {
  const isShort = member[0] === idMark;
  const end = member.indexOf(0, isShort ? 17 : 0);
  if (end < 0) return undefined;
  const key = isShort ? uuidText(member, 1) + member.toString('latin1', 17, end) : member.toString('latin1', 0, end);
  return { key, end };
}

/** Address, zero byte, id: an address may hold any other ASCII character. */
export function timerField({ actor, id }: TimerKey): string {
  return `${actor}\0${id}`;
}

export function timerKeyOf(field: string): TimerKey {
  const end = field.indexOf('\0');
  return { actor: field.slice(0, end) as Address, id: field.slice(end + 1) };
}

export function encodeTimer({ dueAt, generation, payload, operation }: TimerRecord): Uint8Array {
  return encode([dueAt, generation, payload, operation ?? null]);
}

export function decodeTimer(field: string, body: Uint8Array): TimerRecord {
  const [dueAt, generation, payload, operation] = decode<readonly [number, number, Uint8Array, string | null]>(body);
  const timer = { ...timerKeyOf(field), dueAt, generation, payload: Buffer.from(payload) };
  return operation === null ? timer : { ...timer, operation };
}

export function encodeDeadLetter({ at, code, reason, payload }: DeadLetterRecord): Uint8Array {
  return encode([at, code, reason, payload]);
}

export function decodeDeadLetter(body: Uint8Array): DeadLetterRecord {
  const [at, code, reason, payload] = decode<readonly [number, string, string, Uint8Array]>(body);
  return { at, code, reason, payload };
}

/** The values of an entry's fields, in the order of commit.lua. */
export function writeEntry(command: CommandBytes, entry: JournalEntry): void {
  const { seq, actor, type, payload } = entry;
  const version = String(entry.version);
  const emitted = emittedText(entry.emitted);
  const operation = shortened(entry.operation, idOf(actor));
  const from = shortenedFrom(entry.from, entry.operation);
  const at = String(entry.at);
  command.text(actor).text(version).text(type).text(emitted).text(operation).text(from).text(at).bytes(payload);
  command.number(entryChecksum(String(seq), actor, version, type, emitted, operation, from, at, payload));
}

/** Fields of an entry. */
export const entryFields = 9;

/** The entry `id` with these values of its fields, in order; undefined when it is damaged. */
export function readEntry(id: string, values: readonly Buffer[]): JournalEntry | undefined {
  if (values.length !== entryFields || !id.endsWith('-0')) return undefined;
  const value = (field: number): string => (values[field] as Buffer).toString();
  const seq = id.slice(0, -2);
  const [actor, version, type, emitted] = [value(0), value(1), value(2), value(3)];
  const [operation, from, at] = [value(4), value(5), value(6)];
  const payload = values[7] as Buffer;
  const check = entryChecksum(seq, actor, version, type, emitted, operation, from, at, payload);
  if (value(8) !== String(check)) return undefined;
  const named = restored(operation, idOf(actor));
  const sender = restoredFrom(from, named);
  return {
    seq: Number(seq),
    actor: actor as Address,
    version: Number(version),
    type,
    emitted: emittedOf(emitted),
    at: Number(at),
    payload,
    ...(sender === undefined ? {} : { from: sender as Address }),
    ...(named === undefined ? {} : { operation: named }),
  };
}

/** Signed, because the stream packs it shorter than its unsigned twin. */
function entryChecksum(
  seq: string,
  actor: string,
  version: string,
  type: string,
  emitted: string,
  operation: string,
  from: string,
  at: string,
  payload: Uint8Array,
): number {
  const text = `${seq}\n${actor}\n${version}\n${type}\n${emitted}\n${operation}\n${from}\n${at}`;
  return crc32(payload, crc32(text)) | 0;
}

/** Types joined by commas, or a JSON array when one of them would be misread. */
function emittedText(emitted: readonly string[]): string {
  if (emitted.length === 0) return '';
  const plain = emitted.every((type) => type !== '' && !type.includes(',') && !type.startsWith('['));
  return plain ? emitted.join(',') : JSON.stringify(emitted);
}

function emittedOf(text: string): readonly string[] {
  if (text === '') return [];
  return text.startsWith('[') ? (JSON.parse(text) as string[]) : text.split(',');
}

/**
 * An optional text that is often equal to one beside it: '' when absent, '=' when equal, else itself. A saga's id is its
 * operation's, and 36 bytes less per entry are worth a sign that people can read.
 */
function shortened(text: string | undefined, same: string): string {
  if (text === undefined) return '';
  if (text === same && text !== '') return '=';
  return text === '' || text.startsWith('=') ? `=:${text}` : text;
}

function restored(text: string, same: string): string | undefined {
  if (text === '') return undefined;
  if (text === '=') return same;
  return text.startsWith('=:') ? text.slice(2) : text;
}

/** `type/=` for a sender whose id is the operation's; `=:` goes before what would be misread. */
function shortenedFrom(from: Address | undefined, operation: string | undefined): string {
  if (from === undefined) return '';
  if (from.startsWith('=:') || from.endsWith('/=')) return `=:${from}`;
  return operation && from.endsWith(`/${operation}`) ? `${from.slice(0, -operation.length)}=` : from;
}

function restoredFrom(from: string, operation: string | undefined): string | undefined {
  if (from === '') return undefined;
  if (from.startsWith('=:')) return from.slice(2);
  return operation && from.endsWith('/=') ? `${from.slice(0, -1)}${operation}` : from;
}

function idOf(address: string): string {
  return address.slice(address.indexOf('/') + 1);
}
