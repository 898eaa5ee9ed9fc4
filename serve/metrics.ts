/**
 * Metrics in the format of Prometheus.
 *
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What is counted. */
export interface Metrics {
  /** A request was answered. A model that there is not has no name here: clients could make up any number of them. */
  answered(model: string, status: number, seconds: number): void;
  /** The model ran. */
  ran(model: string, requests: number, rows: number, seconds: number): void;
  /** The text of `GET /metrics`. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Upper bounds in seconds: from a small model in a process of its own to a large one behind a queue. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counts from zero. `gauges` are asked for when somebody looks. */
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
  gauge("webnn_requests_in_flight", "Requests that are being answered", gauges.inFlight);
  gauge("webnn_requests_waiting", "Requests that wait for a run", gauges.waiting);
  gauge("process_resident_memory_bytes", "Resident memory of the process", () => Deno.memoryUsage().rss);
  const labelNames = ["model"] as const;
  const requests = new Counter({
    name: "webnn_requests_total",
    help: "Requests that were answered, by model and status",
    labelNames: ["model", "status"] as const,
    registers,
  });
  const runs = new Counter({ name: "webnn_runs_total", help: "Runs of models", labelNames, registers });
  const rows = new Counter({ name: "webnn_rows_total", help: "Rows that were computed", labelNames, registers });
  const batched = new Counter({
    name: "webnn_batched_requests_total",
    help: "Requests that shared a run",
    labelNames,
    registers,
  });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames, registers, buckets: SECONDS });
  const requestSeconds = histogram("webnn_request_seconds", "Time of a request, from its head to its answer");
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
