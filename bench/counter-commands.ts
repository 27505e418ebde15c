/** W1: journaled commands on 1,000 counters, each answered with its sum once it is durable. */

import { openSystem } from '../src/index.ts';
import { counter, idOf } from './counter.ts';
import { forEach, type Measured, measure, ownCpu, warmUp } from './load.ts';
import { openStore, type StoreAddress, storeCpu } from './stores.ts';

export interface CounterTask {
  readonly store: StoreAddress;
  readonly actors: number;
  readonly inFlight: readonly number[];
  readonly seconds: number;
}

export async function countInProcess(task: CounterTask, say: (doing: string) => void): Promise<readonly Measured[]> {
  const system = await openSystem({ journal: await openStore(task.store), actors: [counter] });
  const refs = Array.from({ length: task.actors }, (_, i) => system.actor(counter, idOf(`counter-${i}`)));
  const add = (i: number): Promise<unknown> | undefined => refs[i % refs.length]?.ask({ type: 'ADD', by: 1 });
  const store = storeCpu(task.store);
  try {
    await forEach(refs.length, 64, async (i) => add(i));
    say('warming up');
    await warmUp(task.seconds, async (i) => add(i));
    const measured: Measured[] = [];
    for (const inFlight of task.inFlight) {
      say(`${inFlight} in flight`);
      const load = { inFlight, seconds: task.seconds, cpu: { server: ownCpu, ...store.meters } };
      measured.push(await measure({ ...load, operation: async (i) => add(i) }));
    }
    return measured;
  } finally {
    store.close();
    await system.stop();
  }
}
