/**
 * The options of the module's `createContext()`. Each has a row: its converter, its text in the docs, and the engines
 * that support it. The rows of ONNX Runtime's providers say which options each provider supports.
 *
 * These rows define the conversion, the type of its result, the tables in README and docs/devices.md, and the check
 * whether an engine supports the options.
 *
 * @module
 */

import {
  type AnyMember,
  boolean,
  type Converter,
  dictionary,
  type DictionaryOf,
  double,
  enumeration,
  isObject,
  optional,
  record,
  sequence,
  u32EnforceRange,
  usvString,
  withDefault,
} from "./webidl/converters.ts";

/** The names of backends. */
export const BACKENDS = ["onnxruntime", "coreml"] as const;
/** The kinds of devices. */
export const DEVICES = ["cpu", "gpu", "npu"] as const;

/**
 * The engines whose options are listed here: ONNX Runtime on the CPU, and Core ML. Providers have rows of their own.
 */
export type KnownEngine = "cpu" | "coreml";

/** An option. */
interface Option {
  readonly member: AnyMember;
  /** Its text in the docs. */
  readonly text: string;
}

/** An option that an engine supports or rejects. */
interface DemandOption extends Option {
  readonly honouredBy: readonly KnownEngine[];
}

type Options = Readonly<Record<string, Option>>;

/** More than the cores of any machine. The limit exists so that a typo does not start a million threads. */
const MAX_THREADS = 1024;

const device = enumeration("MLDeviceType", DEVICES);

const path: Converter<string> = (value, context) =>
  value instanceof URL ? pathOf(value, context) : usvString(value, context);

const stringRecord = record<string>((value, context, key) => usvString(value, `${context}[${key}]`));
const strings: Converter<Readonly<Record<string, string>>> = (value, context) => {
  const { names, values } = stringRecord(value, context);
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
};

const threadCount: Converter<number> = (value, context) => {
  const count = u32EnforceRange(value, context);
  if (count < 1 || count > MAX_THREADS) throw new TypeError(`${context} must be 1 to ${MAX_THREADS}, not ${count}.`);
  return count;
};

const notNegative: Converter<number> = (value, context) => {
  const number = double(value, context);
  if (number < 0) throw new TypeError(`${context} must be 0 or more, not ${number}.`);
  return number;
};

/** The standard's hints, and `deviceType` of its earlier drafts. A hint may be ignored. */
const STANDARD = {
  accelerated: withDefault(boolean, true),
  deviceType: optional(device),
  powerPreference: withDefault(
    enumeration("MLPowerPreference", ["default", "high-performance", "low-power"]),
    "default",
  ),
};

/** Options that choose the engine. If it cannot be opened, creating the context fails. */
const CHOICES = {
  backend: {
    member: optional(enumeration("Backend", BACKENDS)),
    text: 'the engine, `"onnxruntime"`; `"coreml"` on macOS ([docs/coreml.md](./docs/coreml.md))',
  },
  device: { member: optional(device), text: 'the kind of device, `"cpu"`, `"gpu"` or `"npu"`' },
  provider: {
    member: optional(usvString),
    text: 'the provider inside ONNX Runtime, as `devices()` lists it: `"cpu"`, `"webgpu"`, `"cuda"` ...',
  },
} satisfies Options;

/** Options that say where to find engines. */
const PLACES = {
  library: {
    member: optional(path),
    text: "the ONNX Runtime library to load, instead of `WEBNN_ORT_PATH` and the npm package",
  },
  plugins: {
    member: optional(sequence(path)),
    text: "absolute paths of plug-in providers, in addition to those in `WEBNN_ORT_PLUGINS`",
  },
} satisfies Options;

/** Options that the chosen engine supports or rejects. A value other than the default is a demand. */
export const DEMANDS = {
  providerOptions: {
    member: optional(strings),
    honouredBy: [],
    text: "options of the provider, with ONNX Runtime's names; all values are strings",
  },
  fallback: {
    member: withDefault(boolean, true),
    honouredBy: ["cpu", "coreml"],
    text: "`false`: `build` fails if the device does not support the whole graph; no part runs on the CPU",
  },
  allowReducedPrecision: {
    member: withDefault(boolean, false),
    honouredBy: ["cpu", "coreml"],
    text: "`true`: float32 may be computed with reduced precision",
  },
  graphCapture: {
    member: withDefault(boolean, false),
    honouredBy: [],
    text: "`true`: records the device commands of a run, and replays them in later runs",
  },
  threads: {
    member: optional(threadCount),
    honouredBy: ["cpu"],
    text: "how many CPU threads a graph may use, including the calling thread ([docs/threads.md](./docs/threads.md))",
  },
  spinning: {
    member: optional(boolean),
    honouredBy: ["cpu"],
    text: "whether CPU threads spin while they wait for each other; by default, those of short graphs do",
  },
  blockingLimit: {
    member: optional(notNegative),
    honouredBy: ["cpu"],
    text: "how long a run may block the event loop, in milliseconds; longer runs use another thread",
  },
  cacheDirectory: {
    member: optional(path),
    honouredBy: ["cpu", "coreml"],
    text: "the folder for compiled graphs, instead of `WEBNN_CACHE_DIR` ([docs/cache.md](./docs/cache.md))",
  },
  cacheSizeLimit: {
    member: optional(notNegative),
    honouredBy: ["cpu", "coreml"],
    text: "the maximum total size of its files in bytes; 2 GiB by default",
  },
  profile: {
    member: withDefault(boolean, false),
    honouredBy: ["cpu"],
    text: "`true`: profiles the runs of graphs, node by node ([docs/inspecting.md](./docs/inspecting.md))",
  },
} satisfies Readonly<Record<string, DemandOption>>;

/** All options that extend the standard, in the order of the docs. */
export const OPTIONS = { ...CHOICES, ...PLACES, ...DEMANDS };

/** The name of an option that an engine supports or rejects. */
export type Demand = keyof typeof DEMANDS;

const DEMAND_NAMES = Object.keys(DEMANDS) as Demand[];

type MembersOf<Rows extends Options> = { readonly [Name in keyof Rows]: Rows[Name]["member"] };

/** The converted options of a context, with defaults filled in. */
export type Selection = DictionaryOf<MembersOf<typeof OPTIONS> & typeof STANDARD>;

/** The converted options that say where to find engines. */
export type Places = DictionaryOf<MembersOf<typeof PLACES>>;

/** Converts the options of `createContext()`. An unknown one is a TypeError. */
export const ownOptions: Converter<Selection> = strict(dictionary(membersOf(OPTIONS), STANDARD), [
  ...Object.keys(OPTIONS),
  ...Object.keys(STANDARD),
]);

/** Converts the options of `devices()`. An unknown one is a TypeError. */
export const placeOptions: Converter<Places> = strict(dictionary(membersOf(PLACES)), Object.keys(PLACES));

/** The options of a context that is created without options. */
export const DEFAULTS: Selection = ownOptions({}, "");

const hints = dictionary(STANDARD);

/** Converts the options of `ml.createContext()`. Unknown ones are ignored, as WebIDL asks. */
export const standardOptions: Converter<Selection> = (value, context) => ({ ...DEFAULTS, ...hints(value, context) });

/** The demands that an engine supports. */
export function honouredBy(engine: KnownEngine): readonly Demand[] {
  return DEMAND_NAMES.filter((name) => (DEMANDS[name].honouredBy as readonly KnownEngine[]).includes(engine));
}

/**
 * Why an engine cannot meet the demands of a context; `undefined` if it can.
 * @param engine its name, for the message
 * @param honoured the demands that it supports
 */
export function describeUnmet(engine: string, honoured: readonly Demand[], selection: Selection): string | undefined {
  const unmet = DEMAND_NAMES.filter((name) => isDemanded(name, selection[name]) && !honoured.includes(name));
  if (unmet.length === 0) return undefined;
  const [options, them] = unmet.length === 1
    ? [`the option ${unmet[0]}`, "it"]
    : [`the options ${unmet.join(", ")}`, "them"];
  return `${engine} does not support ${options}; leave ${them} out, or choose another engine`;
}

function isDemanded(name: Demand, value: unknown): boolean {
  const { fallback }: AnyMember = DEMANDS[name].member;
  // An empty cacheDirectory means that nothing is cached, which every engine supports.
  return value !== undefined && value !== "" && value !== fallback;
}

/** A dictionary that rejects unknown members: most are typos. */
function strict<T>(convert: Converter<T>, names: readonly string[]): Converter<T> {
  return (value, context) => {
    const unknown = isObject(value) ? Object.keys(value).find((name) => !names.includes(name)) : undefined;
    if (unknown === undefined) return convert(value, context);
    const [nearest] = names.toSorted((a, b) => distance(unknown, a) - distance(unknown, b));
    throw new TypeError(
      `${context}.${unknown} is not an option; did you mean ${nearest}? The options are ${names.join(", ")}.`,
    );
  };
}

/** The Levenshtein distance of two words, ignoring case. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const change = row[j]! + Number(letter.toLowerCase() !== to[j]!.toLowerCase());
      next.push(Math.min(change, row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

function membersOf<Rows extends Options>(rows: Rows): MembersOf<Rows> {
  return Object.fromEntries(Object.entries(rows).map(([name, { member }]) => [name, member])) as MembersOf<Rows>;
}

function pathOf(url: URL, context: string): string {
  if (url.protocol !== "file:") throw new TypeError(`${context} must be a file: URL, not ${url}`);
  const path = decodeURIComponent(url.pathname);
  // On Windows, file:///C:/x is the path C:/x, without the slash before the drive.
  return /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path;
}
