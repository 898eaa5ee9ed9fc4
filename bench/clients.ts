/**
 * Clients of WebNN on this module beside the same clients on their own CPU engines: the tables of docs/clients.md.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { runModels } from "../tests/clients/onnxruntime_web/child.ts";
import { MODELS } from "../tests/clients/onnxruntime_web/models.ts";

const REPEAT = 40;

console.log("onnxruntime-web, medians of a run with the copies of input and output:\n");
console.log("| model | nodes on WebNN | graphs | max error | WebAssembly | WebNN | ratio | WebNN, 1 thread | ratio |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const [index, { placed, result }] of (await runModels(REPEAT)).entries()) {
  const { wasm, webnn, webnnOneThread } = result.times!;
  const cells = [
    MODELS[index]!.name,
    `${placed.onWebNN} of ${placed.nodes}`,
    placed.graphs,
    (result.error / result.largest).toExponential(1),
    ...[wasm, webnn].map(milliseconds),
    (webnn / wasm).toFixed(2),
    milliseconds(webnnOneThread),
    (webnnOneThread / wasm).toFixed(2),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

console.log("\nLiteRT.js:\n");
const litert = fileURLToPath(new URL("clients_litert.ts", import.meta.url));
const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", litert] }).spawn();
if (!(await child.status).success) throw new Error("the process that ran LiteRT.js failed");

function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`;
}
