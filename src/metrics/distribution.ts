/**
 * How measured values are distributed: a count per bucket, a sum, and nothing else, in one plain array. Observing
 * allocates nothing and looks nothing up, so that it may be done in every turn. It knows no exporter and no labels.
 */

export class Distribution {
  /** Upper bounds of the buckets, ascending; what is larger is counted above the last one. */
  readonly bounds: readonly number[];
  /** Observations per bucket (not added up), the ones above the last bound at the end. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    counts[bucket]! += 1;
    this.sum += value;
  }

  /** Observations up to each bound, and all of them at the end. */
  cumulative(): readonly number[] {
    let total = 0;
    return Array.from(this.counts, (count) => {
      total += count;
      return total;
    });
  }
}
