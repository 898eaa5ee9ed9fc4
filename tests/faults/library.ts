/**
 * The library of native/fault_injection/, built and under control: what `createContext({ library: faults.path })` runs
 * on.
 *
 * @module
 */
import { join } from "node:path";
import { cString, readCString } from "../../ffi/memory.ts";
import { MODEL_EDITOR_API, ORT_API } from "../../ffi/onnxruntime/api.ts";
import { DEVICE_API } from "../../ffi/onnxruntime/device_api.ts";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { compileLibrary, compiler, withoutCompiler } from "../../support/c_compiler.ts";

const SYMBOLS = {
  faults_open: { parameters: ["buffer"], result: "pointer" }, // path; returns an error
  faults_wraps: { parameters: ["i32", "i32"], result: "bool" }, // table, index
  faults_reset: { parameters: [], result: "void" },
  faults_fail: { parameters: ["buffer", "u32", "i32"], result: "bool" }, // function, n, code
  faults_fired: { parameters: [], result: "pointer" },
  faults_delay: { parameters: ["buffer", "u32"], result: "bool" }, // function, milliseconds
  faults_calls: { parameters: ["u32"], result: "u64" }, // id
  faults_function: { parameters: ["u32"], result: "pointer" }, // id
  faults_live: { parameters: ["u32"], result: "u64" }, // kind
  faults_kind: { parameters: ["u32"], result: "pointer" }, // kind
  faults_report_count: { parameters: [], result: "u32" },
  faults_report: { parameters: ["u32"], result: "pointer" }, // i
} as const;

const WINDOWS = Deno.build.os === "windows";

/** Whether the library can be built here. */
export const available: boolean = compiler !== null && !WINDOWS;

/** What to append to the name of a test that is ignored because the library cannot be built. */
export const unavailable: string = WINDOWS
  ? " (skipped: fault injection uses POSIX threads and dlopen)"
  : withoutCompiler;

/** The functions of ONNX Runtime that can be failed or delayed, by name. */
export type FunctionName = WithoutAsync<keyof (typeof ORT_API & typeof DEVICE_API & typeof MODEL_EDITOR_API)>;
type WithoutAsync<Name extends string> = Name extends `${infer Native}Async` ? Native : Name;

/** Objects that live as long as the process: the environment, and the description of the CPU's memory. */
const PERMANENT = ["environment", "memory_info"];

/** The controls of the library. */
export interface Faults extends Disposable {
  /** The library. */
  readonly path: string;
  /** Forgets faults, delays, counted calls and reports; live objects stay. */
  reset(): void;
  /** Fails the n-th call from now on: of any function, of one, or of those that allocate. Releases never fail. */
  fail(what: "any" | "allocation" | FunctionName, n: number, code?: number): void;
  /** The function that was failed. */
  fired(): string | undefined;
  /** Makes each call of a function wait before it does anything. */
  delay(name: FunctionName, milliseconds: number): void;
  /** How often each function was called. */
  calls(): Map<string, number>;
  /** How many objects of each kind are live: made, and neither released nor handed over. */
  live(): Record<string, number>;
  /** Those among them that do not live as long as the process: empty once all contexts are destroyed. */
  leaked(): Record<string, number>;
  /** What was used after its release, released twice, or released under a call or a borrower. */
  reports(): string[];
}

/** Builds the library into a folder and opens it. */
export async function buildFaults(folder: string): Promise<Faults> {
  const path = join(folder, "libonnxruntime_faults.so");
  const source = new URL("../../native/fault_injection/faults.c", import.meta.url);
  await compileLibrary(source, path, ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-ldl"]);
  return await openFaults(path);
}

/** Opens the library that has been built, in front of the ONNX Runtime of the npm package. */
export async function openFaults(path: string): Promise<Faults> {
  const { path: realPath } = await openOnnxRuntime();
  const library = Deno.dlopen(path, SYMBOLS);
  const { symbols } = library;
  const problem = readCString(symbols.faults_open(cString(realPath)));
  if (problem !== "") throw new Error(problem);
  const functions = names(symbols.faults_function);
  const kinds = names(symbols.faults_kind);
  const live = () => nonZero(kinds.map((kind, i) => [kind, Number(symbols.faults_live(i))]));
  return {
    path,
    reset: () => symbols.faults_reset(),
    fail(what, n, code = 1) {
      if (!symbols.faults_fail(cString(what === "any" ? "" : what), n, code)) throw new TypeError(`unknown: ${what}`);
    },
    fired: () => readCString(symbols.faults_fired()) || undefined,
    delay(name, milliseconds) {
      if (!symbols.faults_delay(cString(name), milliseconds)) throw new TypeError(`unknown: ${name}`);
    },
    calls: () => new Map(functions.map((name, id) => [name, Number(symbols.faults_calls(id))])),
    live,
    leaked: () => nonZero(Object.entries(live()).filter(([kind]) => !PERMANENT.includes(kind))),
    reports() {
      const count = symbols.faults_report_count();
      const reports = names(symbols.faults_report);
      return count > reports.length ? [...reports, `and ${count - reports.length} more`] : reports;
    },
    [Symbol.dispose]: () => library.close(),
  };
}

/** The functions that the module uses and the library does not know: none, or their calls would go uncounted. */
export function unknownFunctions(path: string): string[] {
  const library = Deno.dlopen(path, SYMBOLS);
  try {
    return [{ ...ORT_API, ...DEVICE_API }, MODEL_EDITOR_API].flatMap((table, i) =>
      Object.entries(table).filter(([, { index }]) => !library.symbols.faults_wraps(i, index)).map(([name]) => name)
    );
  } finally {
    library.close();
  }
}

/**
 * Waits until no more is leaked than before, for two seconds at most: a context frees its objects when the call in
 * flight is done.
 */
export async function settled(faults: Faults, before: Record<string, number> = {}): Promise<void> {
  const end = performance.now() + 2000;
  const isMore = () => Object.entries(faults.leaked()).some(([kind, count]) => count > (before[kind] ?? 0));
  while (isMore() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
}

function names(nameOf: (i: number) => Deno.PointerValue): string[] {
  const found: string[] = [];
  for (let name = nameOf(0); name !== null; name = nameOf(found.length)) found.push(readCString(name));
  return found;
}

function nonZero(entries: [string, number][]): Record<string, number> {
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}
