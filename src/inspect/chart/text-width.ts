/**
 * How wide a text is, without a page to measure it on: the widths of Helvetica, which Arial and Liberation Sans share, in
 * thousandths of the font size. Charts name those fonts first, so that boxes fit their texts wherever they are shown.
 */

const first = 32;
const widths = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
  556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
  260, 334, 584,
];
/** Of characters that are not ASCII: as wide as a wide one, so that nothing overflows. */
const otherWidth = 800;
const boldFactor = 1.07;

/** In px at this font size. */
export function textWidth(text: string, size: number, isBold = false): number {
  let sum = 0;
  for (const character of text) sum += widths[character.charCodeAt(0) - first] ?? otherWidth;
  return (sum / 1_000) * size * (isBold ? boldFactor : 1);
}

/** The text in lines of at most `width` px, broken at spaces; a longer word has a line of its own. */
export function wrapped(text: string, size: number, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
