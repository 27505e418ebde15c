import { describe, expect, test } from 'vitest';
import { createInspection, type Frame, frameOf, liveMax } from '../../../web/inspector/inspection.ts';

const event = (sessionId: string, type: string, extra: Partial<Frame> = {}): Frame => ({
  type: '@xstate.event',
  sessionId,
  createdAt: '1000',
  event: { type },
  ...extra,
});
const snapshot = (sessionId: string, value: string): Frame => ({
  type: '@xstate.snapshot',
  sessionId,
  snapshot: { value, status: 'active' },
});

describe('inspection store', () => {
  test('an event and its snapshot are one line', () => {
    const store = createInspection();

    store.trigger.frames({ frames: [event('room/1', 'OPEN', { sourceId: 'saga/2' }), snapshot('room/1', 'open')] });

    const { log, live } = store.getSnapshot().context;
    expect(log.lines).toMatchObject([
      { number: 1, at: 1_000, address: 'room/1', event: { type: 'OPEN' }, from: 'saga/2', value: 'open' },
    ]);
    expect(live.get('room/1')).toMatchObject({ value: 'open', status: 'active' });
  });

  test('a refused event is a line of its own', () => {
    const store = createInspection();
    const refused = event('room/1', 'CLOSE', { _troupe: { refused: true, state: 'absent' } });

    store.trigger.frames({ frames: [event('room/1', 'OPEN'), refused, snapshot('room/1', 'open')] });

    const { lines } = store.getSnapshot().context.log;
    expect(lines.map(({ value, isRefused }) => [value, isRefused])).toEqual([
      ['open', undefined],
      ['absent', true],
    ]);
  });

  test('the states of actors are bounded by those that moved last', () => {
    const store = createInspection();
    const frames = Array.from({ length: liveMax + 10 }, (_, i) => snapshot(`room/${i}`, 'open'));

    store.trigger.frames({ frames: [...frames, snapshot('room/10', 'closed')] });

    const { live } = store.getSnapshot().context;
    expect(live.size).toBe(liveMax);
    expect(live.has('room/0')).toBe(false);
    expect([...live.keys()].at(-1)).toBe('room/10');
  });

  test('what was skipped here and there is counted', () => {
    const store = createInspection();

    store.trigger.frames({ frames: [], skipped: 3 });
    store.trigger.frames({
      frames: [event('troupe', 'troupe.skipped', { event: { type: 'troupe.skipped', rate: 4 } })],
    });

    const { skipped, log } = store.getSnapshot().context;
    expect(skipped).toBe(7);
    expect(log.lines).toEqual([]);
  });

  test('a frame that is none is left out', () => {
    expect(frameOf('{')).toBeUndefined();
    expect(frameOf('3')).toBeUndefined();
    expect(frameOf('{"type":"x"}')).toBeUndefined();
    expect(frameOf('{"type":"@xstate.event","sessionId":"room/1"}')).toMatchObject({ sessionId: 'room/1' });
  });
});
