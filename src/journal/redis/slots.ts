/**
 * What a Redis Cluster says, taken apart: the slot of a key (CRC16 of its hash tag), the answer of CLUSTER SLOTS, and the
 * errors that send a call elsewhere. It knows no connection.
 */

import type { Reply } from './connection.ts';
import type { HostPort } from './endpoint.ts';

export const slotCount = 16_384;

/** Of which servers a range of slots is made; nodes are named `host:port`. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly primary: string;
  readonly replicas: readonly string[];
}

/** What an error reply means for the call that got it. In each case the server ran nothing. */
export type Redirect =
  /** The slot lives on `node`. */
  | { readonly kind: 'moved'; readonly slot: number; readonly node: string }
  /** For this one call: the slot is on its way to `node`. */
  | { readonly kind: 'ask'; readonly node: string }
  /** Not at this moment. */
  | { readonly kind: 'later' };

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** CRC16 (XMODEM) of what stands between the first `{` and the `}` after it, or of the whole key. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const tag = Buffer.from(close > open + 1 ? key.slice(open + 1, close) : key);
  let crc = 0;
  for (const byte of tag) crc = ((crc << 8) ^ (crcTable[((crc >> 8) ^ byte) & 0xff] as number)) & 0xffff;
  return crc % slotCount;
}

export function nodeName({ host, port }: HostPort): string {
  return `${host}:${port}`;
}

export function hostPortOf(node: string): HostPort {
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
}

/** Reads the answer of CLUSTER SLOTS. A node without a host is at the one that was asked. */
export function slotRangesOf(reply: Reply, asked: HostPort): readonly SlotRange[] {
  const ranges: SlotRange[] = [];
  for (const range of reply as readonly Reply[]) {
    const [from, to, ...servers] = range as readonly [number, number, ...(readonly [Buffer | null, number])[]];
    const [primary, ...replicas] = servers.map(([host, port]) => {
      const said = host === null ? '' : String(host);
      return nodeName({ host: said === '' || said === '?' ? asked.host : said, port });
    });
    if (primary !== undefined) ranges.push({ from, to, primary, replicas });
  }
  return ranges;
}

/** Undefined for an error that does not send the call elsewhere. `asked` is the node that gave it. */
export function redirectOf(message: string, asked: string): Redirect | undefined {
  const [, word, slot, host, port] = /^(MOVED|ASK) (\d+) (.*):(\d+)$/.exec(message) ?? [];
  if (word !== undefined) {
    const node = nodeName({
      host: host === '' || host === '?' ? hostPortOf(asked).host : String(host),
      port: Number(port),
    });
    return word === 'ASK' ? { kind: 'ask', node } : { kind: 'moved', slot: Number(slot), node };
  }
  return /^(TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN|READONLY)\b/.test(message) ? { kind: 'later' } : undefined;
}
