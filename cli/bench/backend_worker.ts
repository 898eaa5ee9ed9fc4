/**
 * A worker process of `webnn bench --backend`: runs one benchmark on one backend.
 *
 * @module
 */
import { contextInfo, createContext, graphInfo, type MLContext } from "@webnn/deno";
import { MARK } from "../child.ts";
import { messageOf } from "../errors.ts";
import { randomInput } from "../inputs/random.ts";
import { deviceOptions } from "../model/device.ts";
import { type Benchmark, buildWorkloads, type Workload } from "./workloads.ts";

/** The message to the worker. */
export interface BackendJob {
  readonly backend: string;
  readonly benchmark: Benchmark;
  /** Seconds after which no new operation starts. */
  readonly budget: number;
}

/** The worker's answer. Times are in milliseconds. */
export interface BackendAnswer {
  /** What actually ran the graphs: the engine, its devices, and its version. */
  readonly device: string;
  /** The time of each operation that succeeded. */
  readonly times: readonly number[];
  readonly attempted: number;
  /** Why the first failed operation failed, or why fewer operations ran than planned. */
  readonly reason?: string;
  /** The first elements of the result of each graph, to compare backends. */
  readonly samples: readonly (readonly number[])[];
}

const ROUNDS = 5;
const SAMPLE = 16;

async function measure({ backend, benchmark, budget }: BackendJob): Promise<BackendAnswer> {
  const end = performance.now() + 1000 * budget;
  const context = await createContext(deviceOptions(backend));
  const workloads = await buildWorkloads(benchmark, context);
  const runs = await Promise.all(workloads.map((workload) => prepare(context, workload)));
  const samples: number[][] = [];
  const times: number[] = [];
  let [attempted, reason] = [0, undefined as string | undefined];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, run] of runs.entries()) {
      const start = performance.now();
      // The first round always completes, because its results are compared.
      if (round > 0 && start > end) {
        reason ??= `too slow: stopped after ${attempted} of ${ROUNDS * runs.length} operations, at ${budget} s`;
        break;
      }
      try {
        const result = await run();
        // The first round is a warm-up and is not timed.
        if (round > 0) times.push(performance.now() - start);
        else samples[i] = [...result.subarray(0, SAMPLE)];
      } catch (error) {
        reason ??= messageOf(error);
      }
      if (round > 0) attempted++;
    }
  }
  return { device: deviceOf(context, workloads), times, attempted, samples, ...reason === undefined ? {} : { reason } };
}

/** One operation: writes the input, runs the graph, and reads the output. */
async function prepare(
  context: MLContext,
  { graph, shape, outputShape }: Workload,
): Promise<() => Promise<Float32Array>> {
  const x = await context.createTensor({ dataType: "float32", shape, writable: true });
  const y = await context.createTensor({ dataType: "float32", shape: outputShape, readable: true });
  const { data } = randomInput({ dataType: "float32" }, shape, 1);
  return async () => {
    context.writeTensor(x, data);
    context.dispatch(graph, { x }, { y });
    return new Float32Array(await context.readTensor(y));
  };
}

/** Where the graphs ran: an engine may run some of them, or parts of them, on the CPU. */
function deviceOf(context: MLContext, workloads: readonly Workload[]): string {
  const places = workloads.map(({ graph }) => {
    const { backend, provider, devices, elsewhere } = graphInfo(graph);
    const rest = elsewhere.length > 0 ? `, ${elsewhere.length} nodes on cpu` : "";
    return `${backend} ${provider} (${devices.join(", ")}${rest})`;
  });
  const { version } = contextInfo(context);
  return `${[...new Set(places)].join("; ")} ${version}`;
}

if (import.meta.main) {
  const job = JSON.parse(await new Response(Deno.stdin.readable).text()) as BackendJob;
  const answer = await measure(job).catch((error) => ({ failed: messageOf(error) }));
  console.log(`\n${MARK}${JSON.stringify(answer)}`);
  Deno.exit();
}
