/**
 * The command line of `@webnn/deno`. It lists devices, and inspects, runs, benchmarks, profiles, draws, converts and
 * serves models.
 *
 * @example
 * ```sh
 * deno run -A jsr:@webnn/cli --help
 * deno run -A jsr:@webnn/cli info model.onnx
 * ```
 *
 * @module
 */
import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

if (import.meta.main) Deno.exit(await runProgram(Deno.args, processTerminal()));
