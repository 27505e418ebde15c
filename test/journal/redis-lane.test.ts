/** The order of calls that a cluster sends back. */

import { expect, test, vi } from 'vitest';
import { GivenBack, NotSent, type Reply } from '../../src/journal/redis/connection.ts';
import { Lane, type LaneCall } from '../../src/journal/redis/lane.ts';
import { commandOf } from '../../src/journal/redis/resp.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';

type Answer = 'done' | 'at once' | 'later' | 'final';

/** A lane whose server answers when told to. */
class Stage {
  readonly clock = new SimulatedClock();
  /** Names of the calls that went out, in order. */
  readonly sent: string[] = [];
  /** What became of each call. */
  readonly ends: Record<string, string> = {};
  readonly #out = new Map<string, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  readonly #names = new Map<LaneCall['what'], string>();
  #verdict: Exclude<Answer, 'done'> = 'final';
  readonly lane = new Lane(
    7,
    {
      send: (call: LaneCall) => {
        const name = this.#names.get(call.what) as string;
        this.sent.push(name);
        return new Promise((resolve, reject) => this.#out.set(name, { resolve, reject }));
      },
      verdict: () => this.#verdict,
    },
    this.clock,
  );

  call(name: string, command = 'FCALL', deadline = 5_000): void {
    this.#send(name, commandOf(command, name).done(), deadline);
  }

  message(name: string): void {
    this.#send(name, { channel: 'a:{1}', payload: Buffer.from(name) }, 5_000);
  }

  #send(name: string, what: LaneCall['what'], deadline: number): void {
    this.#names.set(what, name);
    this.lane.send({
      what,
      isReplicated: false,
      deadline,
      resolve: () => {
        this.ends[name] = 'done';
      },
      reject: (error) => {
        this.ends[name] = error.name;
      },
    });
  }

  async answer(name: string, answer: Answer): Promise<void> {
    const call = this.#out.get(name);
    this.#out.delete(name);
    if (call === undefined) throw new Error(`${name} is not out.`);
    if (answer === 'done') call.resolve(1);
    else {
      this.#verdict = answer;
      call.reject(answer === 'final' ? new Error('lost') : new GivenBack('moved'));
    }
    await this.clock.advance(0);
  }
}

test('calls go out as they come', async () => {
  const stage = new Stage();

  for (const name of ['a', 'b', 'c']) stage.call(name);

  expect(stage.sent).toEqual(['a', 'b', 'c']);
});

test('the first goes again alone, then the others', async () => {
  const stage = new Stage();
  stage.call('a');
  stage.call('b');

  await stage.answer('a', 'at once');
  stage.call('c');
  expect(stage.sent).toEqual(['a', 'b']);
  await stage.answer('b', 'at once');
  expect(stage.sent).toEqual(['a', 'b', 'a']);
  await stage.answer('a', 'done');

  expect(stage.sent).toEqual(['a', 'b', 'a', 'b', 'c']);
});

test('keeps the order when the second comes back first', async () => {
  const stage = new Stage();
  stage.call('a');
  stage.call('b');

  await stage.answer('b', 'at once');
  expect(stage.sent).toEqual(['a', 'b']);
  await stage.answer('a', 'at once');

  expect(stage.sent).toEqual(['a', 'b', 'a']);
});

test('refuses a call that a later one has overtaken', async () => {
  const stage = new Stage();
  stage.call('a');
  stage.call('b');

  await stage.answer('a', 'later');
  await stage.answer('b', 'done');
  await stage.clock.advance(1_000);

  expect(stage.ends).toEqual({ a: 'NotSent', b: 'done' });
  expect(stage.sent).toEqual(['a', 'b']);
});

test('a message that was said earlier than it was its turn refuses no call', async () => {
  const stage = new Stage();
  stage.call('a');
  stage.message('b');

  await stage.answer('b', 'done');
  await stage.answer('a', 'at once');
  await stage.answer('a', 'done');

  expect(stage.ends).toEqual({ a: 'done', b: 'done' });
});

test('refuses a message that a later one has overtaken', async () => {
  const stage = new Stage();
  stage.message('a');
  stage.message('b');

  await stage.answer('a', 'later');
  await stage.answer('b', 'done');
  await stage.clock.advance(1_000);

  expect(stage.ends).toEqual({ a: 'NotSent', b: 'done' });
});

test('takes a lost call for one that ran', async () => {
  const stage = new Stage();
  stage.call('a');
  stage.call('b');

  await stage.answer('a', 'later');
  await stage.answer('b', 'final');
  await stage.clock.advance(1_000);

  expect(stage.ends).toEqual({ a: 'NotSent', b: 'Error' });
});

test('a read may overtake a commit', async () => {
  const stage = new Stage();
  stage.call('a');
  stage.call('b', 'FCALL_RO');

  await stage.answer('a', 'later');
  await stage.answer('b', 'done');
  await stage.clock.advance(1_000);

  expect(stage.sent).toEqual(['a', 'b', 'a']);
});

test('tries again with pauses until the deadline', async () => {
  const stage = new Stage();
  stage.call('a');
  stage.call('b');

  await stage.answer('a', 'later');
  await stage.answer('b', 'later');
  for (let ms = 0; ms <= 5_300; ms += 10) {
    await stage.clock.advance(10);
    if (stage.sent.at(-1) === 'a' && stage.ends.a === undefined) await stage.answer('a', 'later').catch(() => {});
  }

  expect(stage.sent.length).toBeGreaterThan(15);
  expect(stage.sent.length).toBeLessThan(40);
  expect(stage.ends).toEqual({ a: 'NotSent', b: 'NotSent' });
});

test('gives a call up that is sent back for ever', async () => {
  const stage = new Stage();
  stage.call('a', 'FCALL', 1_000_000);

  for (let times = 0; times <= 100; times++) {
    await stage.answer('a', 'at once');
    await stage.clock.advance(300);
  }

  expect(stage.ends).toEqual({ a: new NotSent('').name });
  stage.call('b');
  expect(stage.sent.at(-1)).toBe('b');
});

test('a call that waits keeps the process alive', async () => {
  const stage = new Stage();
  const after = vi.spyOn(stage.clock, 'after');

  stage.call('a');
  await stage.answer('a', 'later');

  expect(after.mock.lastCall).toEqual([expect.any(Number), expect.any(Function), { keepAlive: true }]);
});
