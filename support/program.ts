/**
 * Runs the program of a task: options, `--help` and exit status.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Args, parseArgs, type ParseOptions } from "@std/cli";

/** The options of a program. `"_"` in `string` allows positional arguments. */
type Options = Pick<ParseOptions, "string" | "boolean" | "default">;

/**
 * Parses the command line and does the work. The exit status is the result of the work, or 0. If an option is unknown
 * or the work throws, prints one line and sets the exit status to 1.
 *
 * @param name what the user calls the program, for example `bench:memory`
 * @param help what `--help` and `-h` print
 * @param options the options of the program
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
  const unknown = (arg: string, option?: string) =>
    (option === undefined && takesArguments) || throwUnknown(arg, option);
  try {
    Deno.exitCode = await work(parseArgs(Deno.args, { ...options, unknown }) as unknown as Args<O>) ?? 0;
  } catch (error) {
    console.error(`${name}: ${messageOf(error)}`);
    Deno.exitCode = 1;
  }
}

function throwUnknown(arg: string, option?: string): never {
  throw new Error(`unknown ${option === undefined ? "argument" : "option"} ${arg}; --help lists the options`);
}

/** Parses an option value that must be a positive integer. */
export function positiveInteger(text: string, option: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${option} must be a positive integer, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** Parses an option value that is a list of names. Returns them in the order of `names`. */
export function namesIn(list: string, names: readonly string[], option: string): string[] {
  const chosen = list.split(",");
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`${option} accepts ${names.join(", ")}; not ${JSON.stringify(unknown)}`);
  return names.filter((name) => chosen.includes(name));
}

/** The message of an error, in one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
}

/** Reads a file that the user named. */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw new Error(`there is no file ${resolve(path)}`, { cause });
    throw new Error(`cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Writes a file, creates its folder if necessary, and prints where it is. */
export async function writeFile(path: string | URL, text: string): Promise<void> {
  const file = path instanceof URL ? relative(Deno.cwd(), fileURLToPath(path)) : path;
  if (!existsSync(dirname(file))) await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, text);
  console.log(`Written: ${file}`);
}

/** Shows the progress in one line of the terminal, which the next call overwrites. */
export function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}
