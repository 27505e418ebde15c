/**
 * Entries as reads.lua gives them: rows of msgpack arrays of texts, each an entry's id and the values of its fields. All
 * of them are one value of a reply, since a value of its own for each field takes several times as long to read. What
 * stands in a row is judged by records.ts; this only finds it.
 */

/** The values of each row. They share the reply's memory. Throws on what is no row. */
export function rowsOf(bytes: Buffer): readonly (readonly Buffer[])[] {
  const rows: Buffer[][] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = bytes[at++] as number;
    let count = head & 0x0f;
    if (head === 0xdc) {
      count = bytes.readUInt16BE(at);
      at += 2;
    } else if (head >> 4 !== 0x9) throw new Error(`A row of entries begins with ${head}.`);
    const row: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const kind = bytes[at] as number;
      const start = at + 1 + lengthBytes(kind);
      const length = start === at + 1 ? kind & 0x1f : bytes.readUIntBE(at + 1, start - at - 1);
      at = start + length;
      row.push(bytes.subarray(start, at));
    }
    rows.push(row);
  }
  return rows;
}

/** Bytes of the length behind the head of a text; 0 when the head holds it. */
function lengthBytes(kind: number): number {
  if (kind >> 5 === 0b101) return 0;
  if (kind >= 0xd9 && kind <= 0xdb) return 1 << (kind - 0xd9);
  throw new Error(`A value in a row of entries begins with ${kind}.`);
}
