/**
 * Metrics in Prometheus format.
 *
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Records requests and runs. */
export interface Metrics {
  /** Counts a response. Unknown models have no name here, because clients could invent any number of them. */
  answered(model: string, status: number, seconds: number): void;
  /** Counts a run of a model. */
  ran(model: string, requests: number, rows: number, seconds: number): void;
  /** The text of `GET /metrics`. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** The upper bounds of the buckets in seconds: from a small model without load to a large one behind a queue. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Creates metrics. `gauges` are read when the metrics are requested. */
export function createMetrics(gauges: { readonly inFlight: () => number; readonly waiting: () => number }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("webnn_requests_in_flight", "Requests in progress", gauges.inFlight);
  gauge("webnn_requests_waiting", "Requests in a queue", gauges.waiting);
  gauge("process_resident_memory_bytes", "Resident memory of the process", () => Deno.memoryUsage().rss);
  const labelNames = ["model"] as const;
  const requests = new Counter({
    name: "webnn_requests_total",
    help: "Answered requests, by model and status",
    labelNames: ["model", "status"] as const,
    registers,
  });
  const runs = new Counter({ name: "webnn_runs_total", help: "Runs of models", labelNames, registers });
  const rows = new Counter({ name: "webnn_rows_total", help: "Computed rows", labelNames, registers });
  const batched = new Counter({
    name: "webnn_batched_requests_total",
    help: "Requests that shared a run",
    labelNames,
    registers,
  });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames, registers, buckets: SECONDS });
  const requestSeconds = histogram("webnn_request_seconds", "Time of a request, from its header to its response");
  const runSeconds = histogram("webnn_run_seconds", "Time of a run");
  return {
    answered(model, status, seconds) {
      requests.inc({ model, status });
      if (model !== "") requestSeconds.observe({ model }, seconds);
    },
    ran(model, count, rowCount, seconds) {
      runs.inc({ model });
      rows.inc({ model }, rowCount);
      if (count > 1) batched.inc({ model }, count);
      runSeconds.observe({ model }, seconds);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
