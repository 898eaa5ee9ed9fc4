/**
 * The command line of `@webnn/deno`: `deno run -A jsr:@webnn/cli --help` lists its commands.
 *
 * @module
 */
import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

if (import.meta.main) Deno.exit(await runProgram(Deno.args, processTerminal()));
