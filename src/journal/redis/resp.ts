/**
 * Writes a Redis command as the bytes that go onto the socket (RESP). A commit has thousands of small arguments, mixed
 * strings and bytes; joining them with ioredis' own encoder costs several times what this does.
 */

/** Room for `*<count>\r\n` and then `$<length>\r\n`, whose digits are known last. */
const headRoom = 16;
const shortCharsMax = 128;
/** Longer ones are faster left to Node. */
const loopCharsMax = 16;

export class CommandBytes {
  #bytes: Buffer;
  #at = headRoom;
  #arguments = 0;

  constructor(room = 1_024) {
    this.#bytes = Buffer.allocUnsafe(Math.max(room, 64));
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#at;
  }

  get arguments(): number {
    return this.#arguments;
  }

  text(value: string): this {
    // Asked once: V8 knows many kinds of strings, and finds out anew each time which one this is.
    const { length } = value;
    this.#reserve(length * 3 + 32);
    const bytes = this.#bytes;
    if (length > shortCharsMax) return this.#longText(value);
    const start = this.#at;
    let at = this.#length(length);
    if (length > loopCharsMax) {
      const written = bytes.write(value, at, 'utf8');
      if (written === length) this.#end(at + length);
      else {
        this.#at = start;
        this.#longText(value);
      }
      return this;
    }
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.#at = start;
        return this.#longText(value);
      }
      bytes[at++] = code;
    }
    this.#end(at);
    return this;
  }

  number(value: number): this {
    return this.text(String(value));
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length + 32);
    const at = this.#length(value.length);
    this.#bytes.set(value, at);
    this.#end(at + value.length);
    return this;
  }

  /** One argument made of a checksum and the bytes it is about, behind an optional key and its zero byte. */
  sealed(key: Uint8Array | undefined, checksum: number, value: Uint8Array): this {
    const head = key === undefined ? 0 : key.length + 1;
    const length = head + 4 + value.length;
    this.#reserve(length + 32);
    let at = this.#length(length);
    if (key !== undefined) {
      this.#bytes.set(key, at);
      this.#bytes[at + key.length] = 0;
      at += head;
    }
    at = this.#bytes.writeUInt32BE(checksum >>> 0, at);
    this.#bytes.set(value, at);
    this.#end(at + value.length);
    return this;
  }

  /** The finished command. The writer must not be used afterwards. */
  done(): Buffer {
    const head = `*${this.#arguments}\r\n`;
    const start = headRoom - head.length;
    this.#bytes.write(head, start, 'latin1');
    return this.#bytes.subarray(start, this.#at);
  }

  #longText(value: string): this {
    const length = Buffer.byteLength(value);
    const at = this.#length(length);
    this.#bytes.write(value, at, 'utf8');
    this.#end(at + length);
    return this;
  }

  /** Writes `$<length>\r\n` and gives the position behind it. */
  #length(length: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = 36;
    if (length < 10) bytes[at++] = 48 + length;
    else if (length < 100) {
      bytes[at++] = 48 + Math.trunc(length / 10);
      bytes[at++] = 48 + (length % 10);
    } else at += bytes.write(String(length), at, 'latin1');
    bytes[at++] = 13;
    bytes[at++] = 10;
    return at;
  }

  #end(at: number): void {
    this.#bytes[at] = 13;
    this.#bytes[at + 1] = 10;
    this.#at = at + 2;
    this.#arguments += 1;
  }

  #reserve(room: number): void {
    if (this.#at + room <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + room));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** A command of a few arguments. */
export function commandOf(...args: readonly (string | number | Uint8Array)[]): CommandBytes {
  const command = new CommandBytes(256);
  for (const arg of args) {
    if (typeof arg === 'string') command.text(arg);
    else if (typeof arg === 'number') command.number(arg);
    else command.bytes(arg);
  }
  return command;
}
