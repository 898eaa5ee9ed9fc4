/**
 * What a command is: a name, options, and what it does.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { UsageError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** One option of a command. */
export interface OptionRow {
  /** A switch, an option with a value, or one with a value that may be given several times. */
  readonly kind: "flag" | "text" | "list";
  /** What stands for the value in the help, such as `FILE`. */
  readonly value?: string;
  /** The one letter that stands for the name after a single dash. */
  readonly short?: string;
  /** What it does, for the help; a line feed begins a new line. */
  readonly help: string;
}

/** The options of a command by name. */
export type Options = Readonly<Record<string, OptionRow>>;

/** The values of options. One that is not given is false, undefined, or an empty list. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name]["kind"] extends "flag" ? boolean
    : O[Name]["kind"] extends "list" ? readonly string[]
    : string | undefined;
};

/** A command line after it was read. */
export interface Invocation<O extends Options = Options> {
  /** The arguments that are no options. */
  readonly args: readonly string[];
  readonly options: Values<O>;
  readonly terminal: Terminal;
}

/** What a command found. */
export interface Result {
  /** What `--json` prints. */
  readonly data: unknown;
  /** What is printed otherwise; without a line feed at the end, or empty for nothing. */
  readonly text: string;
  /** What of it failed, for standard error; the status is 1 then, else 0. */
  readonly failure?: string;
}

/** A command of the program. */
export interface Command {
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** The arguments that are no options, such as `MODEL`; the empty text for none. */
  readonly usage: string;
  /** What `--help` says beside the options; lines of at most 100 characters. */
  readonly help: string;
  /** Its options, beside those that all commands have. */
  readonly options: Options;
  /**
   * Does the work.
   * @returns what is printed; nothing where the command has printed all that there is
   * @throws {UsageError} if the command line is wrong; any other error if the work cannot be done
   */
  run(invocation: Invocation): Promise<Result | void>;
}

/** A command whose `run` knows the types of its options. */
export function command<const O extends Options>(
  parts: Omit<Command, "options" | "run"> & {
    readonly options: O;
    run(invocation: Invocation<O & typeof COMMON_OPTIONS>): Promise<Result | void>;
  },
): Command {
  return parts as unknown as Command;
}

/** The options of every command. */
export const COMMON_OPTIONS = {
  json: { kind: "flag", help: "prints the result as JSON, for programs" },
  debug: { kind: "flag", help: "shows where an error comes from" },
  help: { kind: "flag", short: "h", help: "this text" },
} as const satisfies Options;

/** Reads the arguments of a command. */
export function parseCommandLine({ name, options }: Command, args: readonly string[], terminal: Terminal): Invocation {
  const rows = Object.entries<OptionRow>({ ...options, ...COMMON_OPTIONS });
  const ofKind = (...kinds: OptionRow["kind"][]) =>
    rows.filter(([, row]) => kinds.includes(row.kind)).map(([key]) => key);
  const shorts = rows.flatMap(([key, { short }]) => short === undefined ? [] : [[key, short]]);
  const { _: positional, ...values } = parseArgs(args, {
    string: ["_", ...ofKind("text", "list")],
    boolean: ofKind("flag"),
    collect: ofKind("list"),
    alias: Object.fromEntries(shorts),
    unknown: (arg, option) => option === undefined || refuseOption(name, arg),
  }) as unknown as { _: string[] } & Record<string, unknown>;
  for (const [key, { kind, value = "VALUE" }] of rows) {
    if (kind === "flag") continue;
    const given = [values[key] ?? []].flat();
    if (given.includes("")) throw new UsageError(`--${key} needs a value: --${key} ${value}`);
    if (kind === "text" && given.length > 1) throw new UsageError(`--${key} is given twice`);
  }
  return { args: positional, options: values as Values<Options>, terminal };
}

function refuseOption(command: string, arg: string): never {
  throw new UsageError(`there is no option ${arg.replace(/=.*/s, "")}; webnn ${command} --help lists the options`);
}

/** The only argument of a command. */
export function onlyArgument({ args }: Pick<Invocation, "args">, name: string): string {
  const [first, second] = args;
  if (first === undefined || first === "") throw new UsageError(`${name} is missing`);
  if (second !== undefined) {
    throw new UsageError(`there is one ${name} at a time: ${JSON.stringify(second)} is one too many`);
  }
  return first;
}

/** Refuses arguments where a command has none. */
export function noArguments({ args }: Pick<Invocation, "args">): void {
  if (args.length > 0) throw new UsageError(`the command takes no argument ${JSON.stringify(args[0])}`);
}

/** The value of an option that must be a whole number from 1 on. */
export function positiveInteger(text: string, option: string): number {
  const value = /^[1-9]\d*$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${option} must be a whole number from 1, not ${JSON.stringify(text)}`);
  }
  return value;
}

/** The two sides of `NAME=VALUE`; the name may hold `=` if the value does not. */
export function namedValue(text: string, option: string, value: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) {
    throw new UsageError(`${option} must be NAME=${value}, not ${JSON.stringify(text)}`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/** What `webnn COMMAND --help` prints. */
export function helpOf({ name, summary, usage, help, options }: Command): string {
  const rows = Object.entries<OptionRow>({ ...options, ...COMMON_OPTIONS }).map(([key, row]) => {
    const { kind, value = "VALUE", short, help } = row;
    const option = `${short === undefined ? "" : `-${short}, `}--${key}${kind === "flag" ? "" : ` ${value}`}`;
    return { option, lines: help.split("\n") };
  });
  const width = Math.max(...rows.map(({ option }) => option.length)) + 2;
  const lines = rows.flatMap(({ option, lines }) =>
    lines.map((line, i) => `  ${(i === 0 ? option : "").padEnd(width)}${line}`)
  );
  const sections = [
    `${summary}.`,
    `Usage: webnn ${[name, usage, "[options]"].filter(Boolean).join(" ")}`,
    help,
    lines.join("\n"),
  ];
  return sections.filter(Boolean).join("\n\n");
}
