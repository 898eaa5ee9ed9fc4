/**
 * Builds and controls the library in native/fault_injection/, for `createContext({ library: faults.path })`.
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

/** The suffix for names of tests that are ignored because the library cannot be built. */
export const unavailable: string = WINDOWS
  ? " (skipped: fault injection uses POSIX threads and dlopen)"
  : withoutCompiler;

/** The names of ONNX Runtime's functions that can be failed or delayed. */
export type FunctionName = WithoutAsync<keyof (typeof ORT_API & typeof DEVICE_API & typeof MODEL_EDITOR_API)>;
type WithoutAsync<Name extends string> = Name extends `${infer Native}Async` ? Native : Name;

/** Objects that live as long as the process: the environment, and the description of the CPU's memory. */
const PERMANENT = ["environment", "memory_info"];

/** The controls of the library. */
export interface Faults extends Disposable {
  /** The library. */
  readonly path: string;
  /** Clears faults, delays, counts of calls, and reports, but not the live objects. */
  reset(): void;
  /** Makes the n-th call from now on fail: of any function, a single one, or those that allocate. Releases never fail. */
  fail(what: "any" | "allocation" | FunctionName, n: number, code?: number): void;
  /** The function that failed, if one did. */
  fired(): string | undefined;
  /** Delays each call of a function. */
  delay(name: FunctionName, milliseconds: number): void;
  /** The number of calls of each function. */
  calls(): Map<string, number>;
  /** The number of live objects of each kind: created, and neither released nor transferred to another owner. */
  live(): Record<string, number>;
  /** The live objects, without those that live as long as the process. Empty if all contexts are destroyed. */
  leaked(): Record<string, number>;
  /** Reports of objects that were used after their release, or released twice, during a call, or while borrowed. */
  reports(): string[];
}

/** Builds the library in a folder, and opens it. */
export async function buildFaults(folder: string): Promise<Faults> {
  const path = join(folder, "libonnxruntime_faults.so");
  const source = new URL("../../native/fault_injection/faults.c", import.meta.url);
  await compileLibrary(source, path, ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-ldl"]);
  return await openFaults(path);
}

/** Opens a built library, which wraps the ONNX Runtime of the npm package. */
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

/** The functions that the module uses but the library does not wrap, so that it could not fail or count their calls. */
export function unwrappedFunctions(path: string): string[] {
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
 * Waits up to two seconds until no more objects are leaked than before. A context frees its objects only after the call
 * in flight.
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
