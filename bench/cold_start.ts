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

  --rounds N   how often each program starts, in turn (15)
  --help       print this text

Prints a Markdown table of medians, ranges of the middle half, and ratios to onnxruntime-node. That one also runs with
its default telemetry, which writes to the user's folders and may send data to Microsoft.`;

await runProgram("bench:cold-start", HELP, { string: ["rounds"], default: { rounds: "15" } }, async ({ rounds }) => {
  const [times, missing] = [positiveInteger(rounds, "--rounds"), whatIsMissing()];
  if (missing !== undefined) throw new Error(missing);
  console.log(coldStartTable(await measureColdStart(times)));
});
