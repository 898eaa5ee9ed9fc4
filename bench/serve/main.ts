/**
 * `deno task bench:serve`: load on the server, and on minimal servers with onnxruntime-node and onnxruntime in Python.
 *
 * @module
 */
import { join } from "node:path";
import { namesIn, positiveInteger, runProgram, showProgress } from "../../support/program.ts";
import { median } from "../../support/statistics.ts";
import { testData } from "../../support/test_data.ts";
import { fetchModel } from "../models/fetch.ts";
import { MODELS } from "../models/models.ts";
import { load, type Outcome, WORKLOADS } from "./load.ts";
import { makeModels, type Running, SERVERS, startServer } from "./servers.ts";

const HELP =
  `Sends requests over many connections to servers of SqueezeNet and MiniLM, all on loopback, and checks each answer.

Usage: deno task bench:serve [options]

  --seconds N          how long each server is under load (60)
  --connections N,...  numbers of connections (64)
  --models NAME,...    ${WORKLOADS.map(({ model }) => model).join(", ")} (all)
  --servers NAME,...   ${Object.keys(SERVERS).join(", ")} (all)
  --rounds N           rounds; each puts load on all servers in turn, and the table shows medians (1)
  --bad                makes one request of eight damaged, too large, slow or cut off; for webnn servers only
  --help               print this text`;

const OPTIONS = {
  string: ["seconds", "connections", "models", "servers", "rounds"],
  boolean: ["bad"],
  default: { seconds: "60", connections: "64", rounds: "1" },
} as const;

/** The loads of a server with a number of connections, one of each round. */
interface Cell {
  readonly title: string;
  readonly connections: number;
  readonly outcomes: Outcome[];
  /** The processor time of the server per right answer, in milliseconds. */
  readonly cpu: number[];
  /** Resident memory in bytes: when ready, and after each tenth of the last round. */
  memory: readonly (number | undefined)[];
}

await runProgram("bench:serve", HELP, OPTIONS, async (options) => {
  const seconds = positiveInteger(options.seconds, "--seconds");
  const loads = options.connections.split(",").map((count) => positiveInteger(count, "--connections"));
  const rounds = positiveInteger(options.rounds, "--rounds");
  const models = namesIn(options.models ?? "squeezenet,minilm", WORKLOADS.map(({ model }) => model), "--models");
  const servers = namesIn(options.servers ?? Object.keys(SERVERS).join(), Object.keys(SERVERS), "--servers");
  const minilm = MODELS.find(({ name }) => name === "minilm-float32")!;
  const network = (ending: string) => testData(`models/squeezenet1.1.${ending}`);
  const folder = await makeModels([network("json"), network("safetensors"), await fetchModel(minilm)]);
  console.log(
    `| server | connections | requests/s | p50 ms | p99 ms | CPU ms of the server | wrong | lost | bad not rejected | MB ready, and after each tenth |`,
  );
  console.log(`| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`);
  for (const model of models) {
    const measured = await measure(model, join(folder, `${model}.onnx`), {
      servers,
      loads,
      rounds,
      seconds,
      bad: options.bad,
    });
    for (const cell of measured) printRow(cell);
  }
});

/** What to measure. */
interface Plan {
  readonly servers: readonly string[];
  readonly loads: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly bad: boolean;
}

/** Puts load on one server at a time, in turn; the others wait. */
async function measure(model: string, file: string, { servers, loads, rounds, seconds, bad }: Plan): Promise<Cell[]> {
  await using running = new AsyncDisposableStack();
  const workload = WORKLOADS.find((workload) => workload.model === model)!;
  const cells: (Cell & { readonly server: Running })[] = [];
  for (const name of servers) {
    const server = running.use(await startServer(name, [file]));
    const memory = [server.memory()];
    const title = `${model}: ${SERVERS[name]!.title}`;
    cells.push(...loads.map((connections) => ({ title, connections, outcomes: [], cpu: [], memory, server })));
  }
  for (let round = 0; round < rounds; round++) {
    for (const cell of cells.toSorted((a, b) => a.connections - b.connections)) {
      const { connections, server } = cell;
      showProgress(`${cell.title}, ${connections} connections, round ${round + 1}`);
      const memory = [cell.memory[0]];
      const timer = setInterval(() => memory.push(server.memory()), seconds * 100);
      const before = server.cpuTime();
      const outcome = await load(server.url, workload, { connections, seconds, bad });
      clearInterval(timer);
      cell.outcomes.push(outcome);
      cell.cpu.push(((server.cpuTime() ?? NaN) - (before ?? NaN)) / outcome.right);
      cell.memory = memory;
    }
  }
  showProgress("");
  return cells;
}

/** Prints the medians of the rounds, and the sums of what should not happen. */
function printRow({ title, connections, outcomes, cpu, memory }: Cell): void {
  const middle = (of: (outcome: Outcome) => number) => median(outcomes.map(of));
  const total = (of: (outcome: Outcome) => number) => outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  const cells = [
    title,
    connections,
    middle(({ right, seconds }) => right / seconds).toFixed(1),
    middle(({ latencies }) => at(latencies, 0.5)).toFixed(0),
    middle(({ latencies }) => at(latencies, 0.99)).toFixed(0),
    median(cpu).toFixed(1),
    total(({ wrong }) => wrong),
    total(({ lost }) => lost),
    `${total(({ badAccepted }) => badAccepted)} of ${total(({ bad }) => bad)}`,
    memory.map((bytes) => bytes === undefined ? "" : (bytes / 1e6).toFixed(0)).join(" "),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}
