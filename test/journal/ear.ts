/** A listener that writes down what it is told, in order. */

export class Ear {
  readonly heard: string[] = [];
  actives = 0;

  message(payload: Buffer): void {
    this.heard.push(String(payload));
  }

  active(): void {
    this.actives += 1;
    this.heard.push('active');
  }
}
