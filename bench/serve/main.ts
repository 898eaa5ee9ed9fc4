/**
 * `deno task bench:serve`: load on the server, and on minimal servers with onnxruntime-node and onnxruntime in Python.
 *
 * @module
 */
import { join } from "node:path";
import { namesIn, positiveInteger, runProgram } from "../../support/program.ts";
import { testData } from "../../support/test_data.ts";
import { fetchModel } from "../models/fetch.ts";
import { MODELS } from "../models/models.ts";
import { load, type Outcome, WORKLOADS } from "./load.ts";
import { makeModels, SERVERS, startServer } from "./servers.ts";

const HELP =
  `Sends requests over many connections to servers of SqueezeNet and MiniLM, all on loopback, and checks each answer.

Usage: deno task bench:serve [options]

  --seconds N          how long each server is under load (60)
  --connections N,...  numbers of connections (64)
  --models NAME,...    ${WORKLOADS.map(({ model }) => model).join(", ")} (all)
  --servers NAME,...   ${Object.keys(SERVERS).join(", ")} (all)
  --rounds N           rounds; each puts load on all servers in turn (1)
  --bad                makes one request of eight damaged, too large, slow or cut off; for webnn servers only
  --help               print this text`;

const OPTIONS = {
  string: ["seconds", "connections", "models", "servers", "rounds"],
  boolean: ["bad"],
  default: { seconds: "60", connections: "64", rounds: "1" },
} as const;

function at(sorted: readonly number[], part: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return value === undefined ? "" : value.toFixed(0);
}

const megabytes = (bytes: number | undefined) => bytes === undefined ? "" : (bytes / 1e6).toFixed(0);

function row(title: string, connections: number, outcome: Outcome, memory: readonly string[]): void {
  const { seconds, right, wrong, lost, latencies, bad, badAccepted } = outcome;
  const times = [at(latencies, 0.5), at(latencies, 0.99)];
  const cells = [
    title,
    connections,
    (right / seconds).toFixed(1),
    ...times,
    wrong,
    lost,
    `${badAccepted} of ${bad}`,
    ...memory,
  ];
  console.log(`| ${cells.join(" | ")} |`);
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
    `| server | connections | requests/s | p50 ms | p99 ms | wrong | lost | bad not rejected | MB ready | MB at half time | MB end |`,
  );
  console.log(`| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`);
  for (let round = 0; round < rounds; round++) {
    for (const model of models) {
      for (const name of servers) {
        await using server = await startServer(name, [join(folder, `${model}.onnx`)]);
        const before = server.memory();
        const workload = WORKLOADS.find((workload) => workload.model === model)!;
        for (const connections of loads) {
          let half: number | undefined;
          const timer = setTimeout(() => half = server.memory(), seconds * 500);
          const outcome = await load(server.url, workload, { connections, seconds, bad: options.bad });
          clearTimeout(timer);
          const memory = [before, half, server.memory()].map(megabytes);
          row(`${model}: ${SERVERS[name]!.title}`, connections, outcome, memory);
        }
      }
    }
  }
});
