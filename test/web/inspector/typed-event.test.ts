import { describe, expect, test } from 'vitest';
import { typedEvent, typedMax } from '../../../web/inspector/typed-event.ts';

const sentence = (text: string) => {
  const typed = typedEvent(text);
  return typed.ok ? undefined : typed.sentence;
};

describe('typed events', () => {
  test('takes an object with a type', () => {
    expect(typedEvent(' {"type": "ADD", "by": 1} ')).toEqual({ ok: true, event: { type: 'ADD', by: 1 } });
  });

  test('a bare word is an event without fields', () => {
    expect(typedEvent('ADD')).toEqual({ ok: true, event: { type: 'ADD' } });
  });

  test.each([
    ['', /Type an event/],
    ['[1]', /JSON object/],
    ['null', /type/],
    ['{"by": 1}', /needs a "type"/],
    ['{"type": 3}', /needs a "type"/],
    ['{"type": "xstate.done.actor.x"}', /nobody may send/],
    ['xstate.init', /nobody may send/],
  ])('says in a sentence what is wrong with %s', (text, expected) => {
    expect(sentence(text)).toMatch(expected);
  });

  test('an event has a length that is bounded', () => {
    expect(sentence(`{"type": "${'a'.repeat(typedMax)}"}`)).toMatch(/longer than/);
  });

  test('broken JSON is located', () => {
    expect(sentence('{"type": "A",\n  "by": }')).toMatch(/line 2/);
    expect(sentence('{"type": "A"')).toMatch(/line 1, column/);
  });
});
