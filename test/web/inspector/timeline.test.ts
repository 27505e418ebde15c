import { describe, expect, test } from 'vitest';
import {
  behindMax,
  following,
  grown,
  isWalking,
  moved,
  playing,
  stopped,
  timelineAt,
  walked,
} from '../../../web/inspector/timeline.ts';

describe('timeline', () => {
  test('without a version it follows the newest', () => {
    const timeline = grown(timelineAt(3, undefined), 5);

    expect(timeline).toMatchObject({ shown: 3, newest: 5, isFollowing: true });
    expect(walked(walked(timeline)).shown).toBe(5);
    expect(isWalking(walked(walked(timeline)))).toBe(false);
  });

  test('far behind it jumps instead of walking', () => {
    expect(grown(timelineAt(3, undefined), 1_000).shown).toBe(1_000 - behindMax);
  });

  test('where somebody looks it stands still', () => {
    const timeline = grown(timelineAt(5, 2), 9);

    expect(timeline).toMatchObject({ shown: 2, newest: 9, isFollowing: false });
    expect(isWalking(timeline)).toBe(false);
    expect(walked(timeline)).toBe(timeline);
  });

  test('it never leaves the history', () => {
    expect(timelineAt(5, 99).shown).toBe(5);
    expect(moved(timelineAt(5, 2), -1).shown).toBe(0);
    expect(moved(timelineAt(5, 2), 7).shown).toBe(5);
  });

  test('it plays to the end and stops there', () => {
    const played = [0, 1].reduce(walked, playing(timelineAt(2, 2)));

    expect(played).toMatchObject({ shown: 2, isPlaying: false });
    expect(playing(timelineAt(3, 1)).shown).toBe(1);
    expect(stopped(playing(timelineAt(3, 1)))).toMatchObject({ shown: 1, isPlaying: false });
    expect(playing(timelineAt(0, undefined)).isPlaying).toBe(false);
  });

  test('following again leads to the newest', () => {
    expect(following(timelineAt(5, 2))).toMatchObject({ shown: 5, isFollowing: true });
  });

  test('an older answer changes nothing', () => {
    const timeline = timelineAt(5, undefined);

    expect(grown(timeline, 4)).toBe(timeline);
  });
});
