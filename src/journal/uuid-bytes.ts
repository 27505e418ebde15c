/**
 * Canonical UUIDs (lower case, with dashes) as their 16 bytes and back. Bytes are in the order of the texts. Written for
 * speed: every payload holds a handful of them.
 */

/** Value of a hexadecimal digit by its character code; 255 for what is none. */
const digitOf = new Uint8Array(128).fill(255);
const codeOf = new Uint8Array(16);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  digitOf[digit.charCodeAt(0)] = value;
  codeOf[value] = digit.charCodeAt(0);
}

const dash = 45;
/** Where the characters of each byte stand. */
const places = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const scratch = Buffer.alloc(36, dash);

/** Writes the UUID that begins in `text` at `from`, and says whether there is one. What it leaves otherwise is garbage. */
export function writeUuid(text: string, bytes: Uint8Array, at: number, from = 0): boolean {
  if (
    text.charCodeAt(from + 8) !== dash ||
    text.charCodeAt(from + 13) !== dash ||
    text.charCodeAt(from + 18) !== dash ||
    text.charCodeAt(from + 23) !== dash
  ) {
    return false;
  }
  for (let i = 0; i < 16; i++) {
    const place = from + (places[i] as number);
    const high = digitOf[text.charCodeAt(place)] ?? 255;
    const low = digitOf[text.charCodeAt(place + 1)] ?? 255;
    if (high === 255 || low === 255) return false;
    bytes[at + i] = (high << 4) | low;
  }
  return true;
}

/** The text of the 16 bytes from `at` on. */
export function uuidText(bytes: Uint8Array, at: number): string {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + i] as number;
    const place = places[i] as number;
    scratch[place] = codeOf[byte >> 4] as number;
    scratch[place + 1] = codeOf[byte & 15] as number;
  }
  return scratch.toString('latin1', 0, 36);
}
