/** A process of its own that holds LMDB's write lock of a store until it is killed, past the journal's lock. */

import { writeSync } from 'node:fs';
import { open } from 'lmdb';

const root = open({ path: process.argv[2] as string, noSubdir: false, overlappingSync: false });
root.transactionSync(() => {
  writeSync(1, 'holding\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
