import { describe, expect, test } from 'vitest';
import { openJournal, parseJournalUrl, withoutPassword } from '../../src/index.ts';

describe('openJournal', () => {
  test('a URL names the kind of store', () => {
    expect(parseJournalUrl('lmdb:./data')).toEqual({ kind: 'lmdb', path: './data' });
    expect(parseJournalUrl('redis://host:1/2')).toEqual({ kind: 'redis', url: 'redis://host:1/2' });
    expect(parseJournalUrl('rediss://host')).toEqual({ kind: 'redis', url: 'rediss://host' });
    expect(parseJournalUrl('memory:')).toEqual({ kind: 'memory' });
  });

  test.each(['', 'lmdb:', 'data', 'http://host', 'redis:host', 'redis://'])('%j is refused', (url) => {
    expect(() => parseJournalUrl(url)).toThrow('is not a journal; one looks like lmdb:./data');
  });

  test('a password is never shown', () => {
    expect(withoutPassword('redis://me:secret@host:1')).toBe('redis://me:***@host:1');
    expect(withoutPassword('redis://:secret@host')).toBe('redis://:***@host');
    expect(withoutPassword('redis://host:6379/1')).toBe('redis://host:6379/1');
    expect(() => parseJournalUrl('http://me:secret@host')).toThrow(/^(?!.*secret)/);
  });

  test('a durability the store lacks is refused', async () => {
    await expect(openJournal('lmdb:./never-made', { durability: 'always' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(openJournal('redis://127.0.0.1:1', { durability: 'disk' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  test('a journal in memory has the asked shards', async () => {
    const journal = await openJournal('memory:', { shards: 8 });

    expect(journal).toMatchObject({ kind: 'memory', shards: 8 });
    await journal.close();
  });
});
