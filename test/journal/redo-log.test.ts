import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RedoLog, readRedoLog, removeRedoLog, type Write } from '../../src/journal/redo-log.ts';
import { temporaryFolder } from './child.ts';

function put(key: string, value: string): Write {
  return { table: 'state', key: Buffer.from(key), value: Buffer.from(value) };
}

function numbersIn(folder: string, applied = 0): number[] {
  return readRedoLog(folder, applied).map(({ number }) => number);
}

function onlyFile(folder: string): string {
  const names = readdirSync(folder);
  expect(names).toHaveLength(1);
  return join(folder, names[0] as string);
}

test('reads back what was appended', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  const writes: Write[] = [
    put('a', 'one'),
    { table: 'journal', key: Buffer.from([0, 1, 255]), value: Buffer.alloc(0) },
    { table: 'store', key: Buffer.from('gone'), value: undefined },
  ];

  log.append(writes);
  log.append([put('b', 'two')]);

  expect(readRedoLog(folder, 0)).toEqual([
    { number: 1, writes },
    { number: 2, writes: [put('b', 'two')] },
  ]);
});

test('gives only groups the store lacks', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 6);
  for (const name of ['7', '8', '9']) log.append([put(name, name)]);

  expect(numbersIn(folder, 7)).toEqual([8, 9]);
  expect(numbersIn(folder, 9)).toEqual([]);
  // A gap: what came between is lost, so what follows cannot be applied.
  expect(numbersIn(folder, 5)).toEqual([]);
});

test('ends at a group that is torn', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  for (const name of ['1', '2', '3']) log.append([put(name, 'x'.repeat(100))]);
  const file = onlyFile(folder);

  truncateSync(file, readFileSync(file).length - 1);

  expect(numbersIn(folder)).toEqual([1, 2]);
});

test('ends at a group whose bytes changed', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  for (const name of ['1', '2', '3']) log.append([put(name, 'x'.repeat(100))]);
  const file = onlyFile(folder);
  const bytes = readFileSync(file);

  bytes[bytes.length / 2] = 0;
  writeFileSync(file, bytes);

  expect(numbersIn(folder)).toEqual([1]);
});

test('takes garbage at its end for nothing', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  log.append([put('1', '1')]);

  appendFileSync(onlyFile(folder), Buffer.alloc(500));

  expect(numbersIn(folder)).toEqual([1]);
});

test('prefers what a later owner wrote', () => {
  const folder = temporaryFolder();
  const early = new RedoLog(folder, 9, 0);
  early.append([put('1', 'early')]);
  const late = new RedoLog(folder, 10, 1);
  early.append([put('2', 'early')]);
  early.append([put('3', 'early')]);
  late.append([put('2', 'late')]);

  const values = readRedoLog(folder, 0).map(({ writes }) => writes[0]?.value?.toString());

  expect(values).toEqual(['early', 'late']);
});

test('goes on in a new file and removes old ones', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  const large = 'x'.repeat(12 * 1024 * 1024);
  for (let n = 1; n <= 7; n++) log.append([put(`${n}`, large)]);
  const files = readdirSync(folder).length;

  log.trim(3);

  expect(files).toBe(3);
  expect(readdirSync(folder)).toHaveLength(2);
  expect(numbersIn(folder, 3)).toEqual([4, 5, 6, 7]);
});

test('empties its file once all is applied', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  log.append([put('1', 'x'.repeat(2_000_000))]);

  log.trim(1);
  log.append([put('2', '2')]);

  expect(readFileSync(onlyFile(folder)).length).toBeLessThan(1_000);
  expect(numbersIn(folder, 1)).toEqual([2]);
});

test('leaves nothing behind when all is applied', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  log.append([put('1', '1')]);

  log.close(1);

  expect(readdirSync(folder)).toEqual([]);
});

test('keeps what is not applied when closed', () => {
  const folder = temporaryFolder();
  const log = new RedoLog(folder, 1, 0);
  log.append([put('1', '1')]);
  log.append([put('2', '2')]);

  log.close(1);

  expect(numbersIn(folder, 1)).toEqual([2]);
  removeRedoLog(folder);
  expect(readdirSync(folder)).toEqual([]);
});
