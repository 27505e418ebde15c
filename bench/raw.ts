/** What the stores can take without a runtime in front of them: the limits that everything else is measured against. */

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { type Measured, measure, ownCpu } from './load.ts';
import { makeStore, type StoreName, storeCpu } from './stores.ts';

export interface RawTask {
  /** For LMDB's files. */
  readonly folder: string;
  readonly seconds: number;
}

export interface RawMeasured extends Measured {
  readonly name: string;
  /** Records of one operation. */
  readonly records: number;
}

/** An entry's payload, as the chat's events have it. */
const payload = Buffer.alloc(150, 'troupe ');
const batch = 200;
const batchesInFlight = 4;
const awaitedInFlight = 64;

const library = `#!lua name=troupe_bench
redis.register_function('troupe_bench_append', function(keys, args)
  local first = tonumber(args[1])
  for i = 2, #args do redis.call('XADD', keys[1], (first + i - 2) .. '-0', 'payload', args[i]) end
  return #args - 1
end)`;

/** Appends to one stream: by a function that takes 200 entries, and one by one. */
export async function rawRedis(
  task: RawTask & { readonly name: Extract<StoreName, `redis-${string}`> },
  say: (doing: string) => void,
): Promise<readonly RawMeasured[]> {
  const { seconds, name, folder } = task;
  const server = await makeStore(name, folder);
  const store = storeCpu(server);
  const client = new Redis(server.url);
  try {
    await client.call('FUNCTION', 'LOAD', library);
    const cpu = { server: ownCpu, ...store.meters };
    const entries = Array.from({ length: batch }, () => payload);
    let next = 1;
    const append = (): Promise<unknown> => {
      const first = next;
      next += batch;
      return client.call('FCALL', 'troupe_bench_append', 1, 'batched', first, ...entries);
    };
    say('a function that appends 200 entries');
    const batched = await measure({ inFlight: batchesInFlight, seconds, cpu, operation: append });
    say('XADDs one by one');
    const single = await measure({
      inFlight: awaitedInFlight,
      seconds,
      cpu,
      operation: () => client.xadd('single', '*', 'payload', payload),
    });
    return [
      { name: `${name}: function of ${batch} XADDs`, records: batch, ...batched },
      { name: `${name}: awaited XADD`, records: 1, ...single },
    ];
  } finally {
    client.disconnect();
    store.close();
    await server.remove();
  }
}

/** Puts with rising keys: many per commit, and one awaited commit each; synced, and only written. */
export async function rawLmdb(task: RawTask, say: (doing: string) => void): Promise<readonly RawMeasured[]> {
  const measured: RawMeasured[] = [];
  for (const synced of [true, false]) {
    const path = await mkdtemp(join(task.folder, 'raw-'));
    const database = open<Buffer, Buffer>({
      path,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: !synced,
    });
    try {
      let next = 0;
      const put = (): Promise<unknown> => {
        const key = Buffer.allocUnsafe(8);
        key.writeUIntBE(next++, 2, 6);
        key.writeUInt16BE(0, 0);
        return database.put(key, payload);
      };
      const putMany = (): Promise<unknown> => {
        for (let i = 1; i < batch; i++) void put();
        return put();
      };
      const how = synced ? 'lmdb-disk' : 'lmdb-process';
      const load = { seconds: task.seconds, cpu: { server: ownCpu } };
      say(`${how}: puts in batches`);
      const batched = await measure({ ...load, inFlight: batchesInFlight * 8, operation: putMany });
      say(`${how}: one awaited put`);
      const single = await measure({ ...load, inFlight: 1, operation: put });
      measured.push({ name: `${how}: puts, many per commit`, records: batch, ...batched });
      measured.push({ name: `${how}: one awaited put per commit`, records: 1, ...single });
    } finally {
      await database.close();
      await rm(path, { recursive: true, force: true });
    }
  }
  return measured;
}
