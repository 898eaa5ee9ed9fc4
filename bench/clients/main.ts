/**
 * Clients of WebNN on this module, against the same clients on their own CPU engines: the tables of docs/clients.md.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { positiveInteger, runProgram } from "../../support/program.ts";
import { runModels } from "./onnxruntime_web/child.ts";
import { MODELS } from "./onnxruntime_web/models.ts";

const HELP =
  `Measures clients of WebNN on this module, against the same clients on their own CPU engines. Prints Markdown.

Usage: deno task bench:clients [--repeat N]

  --repeat N   timed runs of each model with onnxruntime-web (40)
  --help       print this text`;

const LITERT = fileURLToPath(new URL("litert.ts", import.meta.url));

await runProgram("bench:clients", HELP, { string: ["repeat"], default: { repeat: "40" } }, async ({ repeat }) => {
  await compareModels(positiveInteger(repeat, "--repeat"));
  console.log("\nLiteRT.js:\n");
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", LITERT] }).spawn();
  if (!(await child.status).success) throw new Error("the process that ran LiteRT.js failed");
});

async function compareModels(repeat: number): Promise<void> {
  console.log("onnxruntime-web, medians of a run with the copies of input and output:\n");
  console.log(
    "| model | nodes on WebNN | graphs | max error | WebAssembly | WebNN | ratio | WebNN, 1 thread | ratio |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const [index, { placed, result }] of (await runModels(repeat)).entries()) {
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
}

function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`;
}
