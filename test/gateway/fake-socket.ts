import type { Frame, Socket } from '../../src/gateway/http.ts';

/** A socket whose peer reads when the test says so. */
export class FakeSocket implements Socket {
  readonly received: string[] = [];
  corks = 0;
  ended: number | undefined;
  isReading = true;
  #waiting: string[] = [];

  send(frame: Frame): 'sent' | 'buffered' {
    (this.isReading ? this.received : this.#waiting).push(frame.toString());
    return this.isReading ? 'sent' : 'buffered';
  }

  cork(sends: () => void): void {
    this.corks += 1;
    sends();
  }

  buffered(): number {
    return this.#waiting.reduce((sum, frame) => sum + frame.length, 0);
  }

  end(code: number): void {
    this.ended = code;
  }

  terminate(): void {
    this.ended = 1006;
  }

  read(): void {
    this.received.push(...this.#waiting);
    this.#waiting = [];
  }
}
