import { describe, expect, test } from 'vitest';
import { eventNames, exampleOf, statePaths, stateText } from '../../../web/inspector/machine-words.ts';

const definition = {
  on: { UNDO: {}, 'xstate.after.x': {}, '*': {} },
  states: {
    closed: { on: { OPEN: {} } },
    open: { on: { CLOSE: {}, UNDO: {} }, states: { idle: { on: { RING: {} } }, ringing: {} } },
  },
};

describe('words of a machine', () => {
  test('a state is named by its path', () => {
    expect(statePaths({ open: { bell: 'idle', light: 'on' } })).toEqual([
      'open',
      'open.bell',
      'open.bell.idle',
      'open.light',
      'open.light.on',
    ]);
    expect(stateText('open')).toBe('open');
    expect(stateText({ open: { bell: 'idle', light: 'on' } })).toBe('open.bell.idle + open.light.on');
  });

  test('events of the state come before the others', () => {
    expect(eventNames(definition, { open: 'idle' })).toEqual({
      here: ['RING', 'CLOSE', 'UNDO'],
      elsewhere: ['OPEN'],
    });
    expect(eventNames(definition, 'closed').here).toEqual(['OPEN', 'UNDO']);
    expect(eventNames(undefined, 'closed')).toEqual({ here: [], elsewhere: [] });
  });

  test('an example is the newest such event of the history', () => {
    const history = [{ event: { type: 'OPEN', n: 1 } }, { event: { type: 'OPEN', n: 2 } }];

    expect(exampleOf('OPEN', history)).toEqual({ type: 'OPEN', n: 2 });
    expect(exampleOf('RING', history)).toEqual({ type: 'RING' });
  });
});
