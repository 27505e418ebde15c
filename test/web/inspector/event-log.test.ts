import { describe, expect, test } from 'vitest';
import {
  cleared,
  emptyLog,
  linesMax,
  paused,
  resumed,
  shownLines,
  waitingIn,
  withLines,
} from '../../../web/inspector/event-log.ts';

const line = (type: string, address = 'room/1') => ({ at: 0, address, event: { type } });
const types = (log: Parameters<typeof shownLines>[0], filter = '') =>
  shownLines(log, filter).map(({ event }) => event.type);

describe('event log', () => {
  test('keeps the newest lines up to its bound', () => {
    const log = withLines(withLines(emptyLog, [line('A'), line('B')], 3), [line('C'), line('D')], 3);

    expect(types(log)).toEqual(['B', 'C', 'D']);
    expect(log.arrived).toBe(4);
    expect(log.lines.map(({ number }) => number)).toEqual([2, 3, 4]);
  });

  test('one burst cannot grow it either', () => {
    const burst = Array.from({ length: linesMax * 3 }, (_, i) => line(`E${i}`));

    expect(withLines(emptyLog, burst).lines).toHaveLength(linesMax);
  });

  test('paused it shows what it showed and counts on', () => {
    const log = withLines(paused(withLines(emptyLog, [line('A')])), [line('B'), line('C')]);

    expect(types(log)).toEqual(['A']);
    expect(waitingIn(log)).toBe(2);
    expect(types(resumed(log))).toEqual(['A', 'B', 'C']);
    expect(waitingIn(resumed(log))).toBe(0);
  });

  test('a filter finds lines with all of its words', () => {
    const log = withLines(emptyLog, [
      line('ROOM_CREATED'),
      { ...line('ROOM_CREATED', 'user/2'), operation: 'abc', value: 'open' },
      { ...line('OTHER'), isRefused: true },
    ]);

    expect(shownLines(log, 'room USER/2')).toHaveLength(1);
    expect(shownLines(log, 'abc open')).toHaveLength(1);
    expect(types(log, 'refused')).toEqual(['OTHER']);
    expect(types(log, '  ')).toHaveLength(3);
  });

  test('cleared it goes on counting', () => {
    const log = withLines(cleared(withLines(emptyLog, [line('A')])), [line('B')]);

    expect(log.lines.map(({ number }) => number)).toEqual([2]);
  });
});
