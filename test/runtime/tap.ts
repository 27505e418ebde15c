/** A tap on the transport: it keeps what is delivered, hands it on only while open, and delivers it again on request. */

import type { Parcel } from '../../src/shard/parcel.ts';
import type { Transport } from '../../src/shard/transport.ts';

interface Sent {
  readonly to: number;
  readonly from: number;
  readonly n: number;
  readonly parcel: Parcel;
}

export class Tap {
  readonly sent: Sent[] = [];
  readonly resends: { readonly receiver: number; readonly n: number }[] = [];
  isOpen = true;
  /** Shards that nothing is delivered to. */
  readonly closed = new Set<number>();
  inner: Transport | undefined;

  readonly wrap = (inner: Transport): Transport => {
    this.inner = inner;
    return {
      deliver: (to, from, n, parcel) => {
        this.sent.push({ to, from, n, parcel });
        if (this.isOpen && !this.closed.has(to)) inner.deliver(to, from, n, parcel);
      },
      acknowledge: (sender, receiver, n) => inner.acknowledge(sender, receiver, n),
      resend: (sender, receiver, n) => {
        this.resends.push({ receiver, n });
        inner.resend(sender, receiver, n);
      },
    };
  };

  /** Delivers what was delivered or kept before, again. */
  hand(index: number): void {
    const { to, from, n, parcel } = this.sent[index]!;
    this.inner!.deliver(to, from, n, parcel);
  }
}
