/**
 * The part of `@std/cli` that this project uses, with the same names and behaviour, on top of Node's `util.parseArgs`.
 *
 * Not every machine that runs this code can reach JSR, so the `deno.json` of tests, benches and examples maps
 * `@std/cli` to this file.
 *
 * @module
 */
import { parseArgs as tokenize } from "node:util";

/** The options of {@linkcode parseArgs}. Names are without dashes. */
export interface ParseOptions {
  /** Names with a string value, never converted to a number. With `"_"`, positional arguments too. */
  readonly string?: string | readonly string[];
  /** Names of switches: true if given, else false. They take no value except `--name=false`. */
  readonly boolean?: string | readonly string[];
  /** Names that may be given several times; their value is an array. */
  readonly collect?: string | readonly string[];
  /** Switches that `--no-NAME` turns off. */
  readonly negatable?: string | readonly string[];
  /** The values of names that are not given. */
  readonly default?: Readonly<Record<string, unknown>>;
  /** Aliases: `{ help: "h" }` makes `-h` mean `--help`, and sets both. */
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Puts the arguments after `--` into the member `"--"` of the result instead of `_`. */
  readonly "--"?: boolean;
  /**
   * Called for each positional argument (without `key`) and each option that is not declared. If it returns `false`,
   * the argument is left out of the result.
   */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Names<T> = T extends string ? T : T extends readonly (infer Name extends string)[] ? Name : never;
type Positional<O extends ParseOptions> = "_" extends Names<O["string"]> ? string : string | number;
type Collected<O extends ParseOptions, Name, Value> = Name extends Names<O["collect"]> ? Value[] : Value;
type Absent<O extends ParseOptions, Name> = Name extends Names<O["collect"]> ? never
  : Name extends keyof O["default"] ? O["default"][Name]
  : undefined;
type Widened<T> = T extends string ? string : T extends number ? number : T extends boolean ? boolean : T;

/** The result of {@linkcode parseArgs}: one member per declared name, `_`, and `"--"` if requested. */
export type Args<O extends ParseOptions = ParseOptions> =
  & { [Name in Exclude<Names<O["string"]>, "_">]: Collected<O, Name, string> | Widened<Absent<O, Name>> }
  & { [Name in Names<O["boolean"]>]: Collected<O, Name, boolean> }
  & { [Name in Exclude<keyof O["default"], Names<O["string"]> | Names<O["boolean"]>>]: unknown }
  & { _: Positional<O>[] }
  & (O["--"] extends true ? { "--": string[] } : unknown);

/**
 * Parses command line arguments.
 *
 * @param args the arguments, usually `Deno.args`
 * @param options describes the arguments
 * @returns the values by name, with the positional arguments in `_`
 *
 * @example
 * ```ts
 * import { parseArgs } from "@std/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const args = parseArgs(["--model", "squeezenet", "-h", "a.jpg"], {
 *   string: ["model", "_"],
 *   boolean: ["help"],
 *   alias: { help: "h" },
 * });
 * assertEquals([args.model, args.help, args._], ["squeezenet", true, ["a.jpg"]]);
 * ```
 */
export function parseArgs<const O extends ParseOptions>(args: readonly string[], options?: O): Args<O> {
  const known = describeOptions(options ?? {});
  const values = new Map<string, unknown>();
  const positional: (string | number)[] = [];
  const end = args.indexOf("--");
  const rest = end < 0 ? [] : args.slice(end + 1);

  for (const { name, value, arg } of readArguments(end < 0 ? args : args.slice(0, end), known)) {
    if (known.unknown && !known.declared.has(name)) {
      const kept = name === "" ? known.unknown(arg) : known.unknown(arg, name, value);
      if (kept === false) continue;
    }
    if (name === "") positional.push(known.strings.has("_") ? arg : toNumber(arg));
    else assign(values, name, known.strings.has(name) ? value : toNumber(value), known);
  }

  if (!options?.["--"]) { for (const arg of rest) positional.push(known.strings.has("_") ? arg : toNumber(arg)); }
  addDefaults(values, options?.default ?? {}, known);
  const result = { ...Object.fromEntries(values), _: positional, ...(options?.["--"] ? { "--": rest } : {}) };
  return result as unknown as Args<O>;
}

/** {@linkcode ParseOptions} as sets, each including the aliases of its names. */
interface KnownOptions {
  strings: ReadonlySet<string>;
  booleans: ReadonlySet<string>;
  collected: ReadonlySet<string>;
  negatable: ReadonlySet<string>;
  /** All declared names: `unknown` is not called for them. */
  declared: ReadonlySet<string>;
  unknown: ParseOptions["unknown"];
  namesOf: (name: string) => readonly string[];
}

function describeOptions(options: ParseOptions): KnownOptions {
  const groups = new Map<string, string[]>();
  for (const [name, others] of Object.entries(options.alias ?? {})) {
    const names = [name, ...list(others)];
    for (const each of names) groups.set(each, names);
  }
  const namesOf = (name: string) => groups.get(name) ?? [name];
  const withAliases = (names?: string | readonly string[]) => new Set(list(names).flatMap(namesOf));
  const strings = withAliases(options.string);
  const booleans = withAliases(options.boolean);
  const collected = withAliases(options.collect);
  const negatable = withAliases(options.negatable);
  const declared = new Set([...strings, ...booleans, ...negatable, ...groups.keys()]);
  declared.delete("_");
  return { strings, booleans, collected, negatable, declared, unknown: options.unknown, namesOf };
}

/** The options with their values, and the positional arguments with an empty name. */
function* readArguments(args: readonly string[], known: KnownOptions) {
  // Node reads `-o=x` as three switches: o, = and x.
  const spelled = args.map((arg) => arg.replace(/^-([a-z])=/is, "--$1="));
  // Without declared options, Node only splits: it does not decide whether the next argument is an option's value.
  const { tokens } = tokenize({ args: spelled, options: {}, strict: false, allowPositionals: true, tokens: true });
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const arg = args[token.index]!;
    if (token.kind === "positional") yield { name: "", value: arg, arg };
    if (token.kind !== "option") continue;

    const { name } = token;
    const next = tokens[i + 1];
    if (token.inlineValue) {
      yield { name, value: known.booleans.has(name) ? token.value !== "false" : token.value, arg };
    } else if (name.startsWith("no-") && known.negatable.has(name.slice(3))) {
      yield { name: name.slice(3), value: false, arg };
    } else if (!known.booleans.has(name) && next?.kind === "positional") {
      i++;
      yield { name, value: next.value, arg };
    } else {
      yield { name, value: known.strings.has(name) ? "" : true, arg };
    }
  }
}

function assign(values: Map<string, unknown>, name: string, value: unknown, known: KnownOptions): void {
  for (const each of known.namesOf(name)) {
    const earlier = values.get(each) as unknown[] | undefined;
    values.set(each, known.collected.has(each) ? [...(earlier ?? []), value] : value);
  }
}

function addDefaults(values: Map<string, unknown>, defaults: Readonly<Record<string, unknown>>, known: KnownOptions) {
  const setAbsent = (name: string, value: unknown) => {
    for (const each of known.namesOf(name)) if (!values.has(each)) values.set(each, value);
  };
  for (const [name, value] of Object.entries(defaults)) setAbsent(name, value);
  for (const name of known.collected) setAbsent(name, []);
  for (const name of known.booleans) setAbsent(name, false);
}

/** Converts a numeric string to a number. Returns anything else unchanged. */
function toNumber<T>(value: T): T | number {
  const numeric = typeof value === "string" && /^(0x[0-9a-f]+|[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?)$/i.test(value);
  return numeric ? Number(value) : value;
}

function list(names: string | readonly string[] = []): readonly string[] {
  return typeof names === "string" ? [names] : names;
}
