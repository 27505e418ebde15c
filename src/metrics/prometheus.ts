/**
 * The metrics of a process in Prometheus' text format; the one file that knows prom-client. It formats the tallies when it
 * is scraped, so that a process that nobody scrapes pays for a few additions per turn and no more.
 *
 * It guarantees that every metric is there from the beginning with its help and type, and Node's own beside Troupe's when
 * they are asked for. It deliberately serves nothing: the gateway and metrics-server.ts do.
 */

import { Counter, collectDefaultMetrics, Gauge, Histogram, type MetricValueWithName, Registry } from 'prom-client';
import type { GatewayObserver, Observer } from '../observer.ts';
import { catalogueOf, type DistributionMetric, type Labels, type MetricDefinition } from './catalogue.ts';
import type { Distribution } from './distribution.ts';
import { GatewayTally } from './gateway-tally.ts';
import { RuntimeTally } from './runtime-tally.ts';

export interface Metrics {
  /** What the runtime is to tell. */
  readonly runtime: Observer;
  /** What the gateway is to tell. */
  readonly gateway: GatewayObserver;
  /** Troupe's own metrics. */
  readonly catalogue: readonly MetricDefinition[];
  /** Of the text. */
  readonly contentType: string;
  /** Everything, as it stands. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  /** Node's and the process' own metrics too: once per process, since Node measures for each. */
  readonly process: boolean;
}

/** What prom-client formats; its own type of it says that `type` is a number. */
interface Rows {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly MetricValueWithName<string>[];
}

/** A histogram whose observations were counted elsewhere. */
class CountedHistogram extends Histogram {
  readonly #metric: DistributionMetric;

  constructor(metric: DistributionMetric, registry: Registry) {
    const { name, help, labels } = metric;
    super({ name, help, labelNames: [...labels], registers: [registry] });
    this.#metric = metric;
  }

  /** Where the superclass's `get` and the registry find the rows; the types of prom-client do not tell of it. */
  async getForPromString(): Promise<Rows> {
    const { name, help, type, samples } = this.#metric;
    const values = samples().flatMap(([labels, value]) => this.#rows(labels, value));
    return { name, help, type, aggregator: 'sum', values };
  }

  #rows(labels: Labels, distribution: Distribution): MetricValueWithName<string>[] {
    const { name, scale } = this.#metric;
    const cumulative = distribution.cumulative();
    const bounds = [...distribution.bounds.map((bound) => String(bound / scale)), '+Inf'];
    return [
      ...bounds.map((le, index) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le },
        value: cumulative[index] ?? 0,
      })),
      { metricName: `${name}_sum`, labels, value: distribution.sum / scale },
      { metricName: `${name}_count`, labels, value: cumulative.at(-1) ?? 0 },
    ];
  }
}

function register(metric: MetricDefinition, registry: Registry): void {
  if (metric.type === 'histogram') {
    new CountedHistogram(metric, registry);
    return;
  }
  const { name, help, labels, samples } = metric;
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  if (metric.type === 'gauge') {
    const gauge: Gauge = new Gauge({
      ...common,
      collect: () => {
        gauge.reset();
        for (const [of, value] of samples()) gauge.set(of, value);
      },
    });
    return;
  }
  const counter: Counter = new Counter({
    ...common,
    collect: () => {
      counter.reset();
      for (const [of, value] of samples()) counter.inc(of, value);
    },
  });
}

/** Between looks at the event loop, each of which wakes the process: at every 10 ms, as by default, they are half of what a node costs that rests. */
const lagLookMs = 100;

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const runtime = new RuntimeTally();
  const gateway = new GatewayTally();
  const catalogue = catalogueOf(runtime, gateway);
  for (const metric of catalogue) register(metric, registry);
  if (options.process) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: lagLookMs });
  return { runtime, gateway, catalogue, contentType: registry.contentType, text: () => registry.metrics() };
}
