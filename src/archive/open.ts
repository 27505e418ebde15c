/**
 * Opens the archive of a journal by its URL: `file:<folder>`. A URL that it does not understand, and an archive of
 * another store, are refused with a sentence before anything is written. It reads no environment.
 */

import { TroupeError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Archive } from './archive.ts';
import { ArchivedJournal } from './archived-journal.ts';
import { FolderObjects } from './folder.ts';
import { ObjectArchive } from './object-archive.ts';

/** Opens the archive of the store with this id (`Journal.id`). Rejects with CONFIG_INVALID, ARCHIVE_INCOMPATIBLE, ARCHIVE_DAMAGED or ARCHIVE_UNAVAILABLE. */
export async function openArchive(url: string, store: string): Promise<Archive> {
  const folder = url.startsWith('file:') ? url.slice('file:'.length).replace(/^\/\/(?=\/)/, '') : '';
  if (folder === '') {
    throw new TroupeError('CONFIG_INVALID', `"${url}" is not an archive; one looks like file:./archive.`);
  }
  return ObjectArchive.open(new FolderObjects(folder), store);
}

/** The journal together with its archive at `url`; the journal itself when there is none. Closes it when that fails. */
export async function withArchive(journal: Journal, url: string | undefined): Promise<Journal> {
  if (url === undefined) return journal;
  try {
    return new ArchivedJournal(journal, await openArchive(url, journal.id));
  } catch (error) {
    await journal.close();
    throw error;
  }
}
