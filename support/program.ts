/**
 * The frame of a task's program: its options, `--help`, and the status that it ends with.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Args, parseArgs, type ParseOptions } from "@std/cli";

/** Which options there are. `"_"` in `string` allows arguments that are no options. */
type Options = Pick<ParseOptions, "string" | "boolean" | "default">;

/**
 * Parses the command line and does the work. The program ends with the status that the work returns, by default 0. An
 * option that there is not, and whatever the work throws, is told in one line, and the status is 1.
 *
 * @param name what the user calls the program, such as `bench:memory`
 * @param help what `--help` and `-h` print
 * @param options which options there are
 * @param work what the program does
 */
export async function runProgram<const O extends Options>(
  name: string,
  help: string,
  options: O,
  work: (args: Args<O>) => number | void | Promise<number | void>,
): Promise<void> {
  if (Deno.args.some((arg) => arg === "--help" || arg === "-h")) return console.log(help);
  const takesArguments = [options.string].flat().includes("_");
  const unknown = (arg: string, option?: string) => (option === undefined && takesArguments) || refuse(arg, option);
  try {
    Deno.exitCode = await work(parseArgs(Deno.args, { ...options, unknown }) as unknown as Args<O>) ?? 0;
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}

function refuse(arg: string, option?: string): never {
  throw new Error(`there is no ${option === undefined ? "argument" : "option"} ${arg}; --help lists the options`);
}

/** The value of an option that must be a whole number from 1 on. */
export function positiveInteger(text: string, option: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${option} must be a positive integer, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** The value of an option that is a list of names, in the order of `names`. */
export function namesIn(list: string, names: readonly string[], option: string): string[] {
  const chosen = list.split(",");
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`${option} knows ${names.join(", ")}, but not ${JSON.stringify(unknown)}`);
  return names.filter((name) => chosen.includes(name));
}

/** Writes a file, makes its folder first where there is none, and says where it is. */
export async function writeFile(path: string | URL, text: string): Promise<void> {
  const file = path instanceof URL ? relative(Deno.cwd(), fileURLToPath(path)) : path;
  if (!existsSync(dirname(file))) await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, text);
  console.log(`Written: ${file}`);
}

/** Shows how far things are: one line that is written over again, where somebody looks on. */
export function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}
