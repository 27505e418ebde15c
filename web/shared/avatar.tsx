/** A person without a picture: initials on a colour that stays theirs. It says nothing to a screen reader. */

const hues = 8;

/** A number of 0 to 7 that an id always has. */
function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 65_521;
  return sum % hues;
}

/** Characters that show nothing, such as those that change the direction of writing. */
const unseen = /\p{Cf}/gu;
/** What is seen as one character may be several: a flag, a family. */
const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function firstOf(word: string): string {
  for (const { segment } of characters.segment(word)) return segment;
  return '?';
}

export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word.replace(unseen, '') !== '');
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => firstOf((word ?? '').replace(/^\p{Cf}+/u, '')))
    .join('')
    .toLocaleUpperCase();
}

export interface AvatarProps {
  readonly id: string;
  readonly name: string;
  readonly size?: 'small' | 'medium' | 'large';
  /** Undefined where it is not shown. */
  readonly isOnline?: boolean | undefined;
}

export function Avatar({ id, name, size = 'medium', isOnline }: AvatarProps) {
  return (
    <span class={`avatar ${size} hue-${hueOf(id)}`} aria-hidden="true">
      {initialsOf(name)}
      {isOnline === true && <span class="avatar-online" />}
    </span>
  );
}
