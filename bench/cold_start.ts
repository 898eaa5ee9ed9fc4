/**
 * How long it takes from the start of a process to the first result of MobileNetV2: by this module without a compile
 * cache and with one, and by npm onnxruntime-node in Deno. See --help.
 *
 * @module
 */
import { coldStartTable, measureColdStart } from "./report/cold_start.ts";
import { positiveInteger, runProgram } from "../support/program.ts";
import { whatIsMissing } from "./support/mobilenetv2.ts";

const HELP =
  `Measures the time from the start of a Deno process to the first result of MobileNetV2, as bench:report does.

Usage: deno task bench:cold-start [--rounds N]

  --rounds N   how often each program starts, in turns (15)
  --help       this text

It prints a Markdown table of medians, of the range of the middle half, and of the ratio to onnxruntime-node. That starts
a second time with its telemetry as it comes, which writes into the user's folders and may report to its makers.`;

await runProgram("bench:cold-start", HELP, { string: ["rounds"], default: { rounds: "15" } }, async ({ rounds }) => {
  const [times, missing] = [positiveInteger(rounds, "--rounds"), whatIsMissing()];
  if (missing !== undefined) throw new Error(missing);
  console.log(coldStartTable(await measureColdStart(times)));
});
