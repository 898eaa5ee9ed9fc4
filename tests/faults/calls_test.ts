/** Makes every call of ONNX Runtime fail once. The program must get an error, and no native object may leak. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ContextOptions, createContext } from "@webnn/deno";
import { join } from "node:path";
import { OrtError } from "../../ffi/onnxruntime/table.ts";
import { messageOf } from "../../src/errors.ts";
import {
  available,
  buildFaults,
  type Faults,
  openFaults,
  settled,
  unavailable,
  unwrappedFunctions,
} from "./library.ts";
import { runNetwork, type Step } from "./network.ts";

const ERRORS: Record<Step, string> = {
  createContext: "NotSupportedError",
  createConstantTensor: "UnknownError",
  constant: "UnknownError",
  build: "OperationError",
  createTensor: "UnknownError",
  readTensor: "OperationError",
};

Deno.test({
  name: `each failing call of ONNX Runtime becomes an exception, and leaks nothing${unavailable}`,
  ignore: !available,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      using faults = await buildFaults(folder);
      await t.step("the library wraps every function that the module uses", () => {
        assertEquals(unwrappedFunctions(faults.path), []);
      });
      await t.step("opening the runtime", async () => {
        // The module keeps what it has read from a library. A copy of the file counts as another library.
        using copies = new DisposableStack();
        await failEach(
          "any",
          async (n) => copies.use(await openFaults(await copyLibrary(faults, n, folder))),
          openContext,
        );
      });
      const expected = await succeed(faults, {});
      await t.step("running", () => failEach("any", () => faults, () => runTwice(faults, {}, expected)));
      await t.step("one thread", () => failEach("any", () => faults, () => runTwice(faults, { threads: 1 }, expected)));
      await t.step("allocations", () => failEach("allocation", () => faults, () => runTwice(faults, {}, expected)));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** A program that checks its result or error. Returns whether it noticed a fault. */
type Program = (faults: Faults) => Promise<boolean>;

/** Fails the first call, the second, and so on, until the program ends before the fault. Reports all problems. */
async function failEach(
  what: "any" | "allocation",
  open: (n: number) => Faults | Promise<Faults>,
  program: Program,
): Promise<void> {
  const failed: string[] = [];
  const problems: string[] = [];
  for (let done = false; !done;) {
    const n = failed.length + 1;
    const faults = await open(n);
    faults.reset();
    const before = faults.leaked();
    faults.fail(what, n);
    const noticed = await program(faults).catch(messageOf);
    await settled(faults, before);
    const name = faults.fired();
    if (name === undefined) done = true;
    else failed.push(name);
    const problem = (text: string) => problems.push(`call ${n}, ${name}: ${text}`);
    if (typeof noticed === "string") problem(noticed);
    if (noticed === done) problem("the program did not notice the failure");
    const after = faults.leaked();
    if (!equal(after, before)) {
      problem(`leaked objects: ${JSON.stringify(before)} before, ${JSON.stringify(after)} after`);
    }
    for (const report of faults.reports()) problem(report);
  }
  const names = new Set(failed);
  console.log(`${failed.length} calls of ${names.size} functions failed one by one: ${[...names].join(", ")}`);
  assertEquals(problems, []);
}

/** Opens a context. */
async function openContext(faults: Faults): Promise<boolean> {
  try {
    const context = await createContext({ library: faults.path });
    context.destroy();
    return wasHarmless(faults);
  } catch (error) {
    checkError("createContext", error, faults);
    return true;
  }
}

/** Runs the network; if that fails, also in another context, where nothing fails. */
async function runTwice(faults: Faults, options: ContextOptions, expected: Float32Array): Promise<boolean> {
  const ending = await runNetwork(() => createContext({ ...options, library: faults.path }));
  if ("result" in ending) {
    assertEquals(ending.result, expected);
    return wasHarmless(faults);
  }
  checkError(ending.step, ending.error, faults);
  if (ending.step === "readTensor") assertEquals(ending.rerun, expected, "the context must work after a failed run");
  assertEquals(await succeed(faults, options), expected, "the next context");
  return true;
}

/** Whether the failed call only cancels work when a context ends, so that its failure has no effect but a delay. */
function wasHarmless(faults: Faults): boolean {
  return ["RunOptionsSetTerminate", "SessionOptionsSetLoadCancellationFlag"].includes(faults.fired() ?? "");
}

function checkError(step: Step, error: unknown, faults: Faults): void {
  const name = faults.fired();
  if (name === undefined) throw error;
  assert(error instanceof DOMException, `${step}: ${error}`);
  assertEquals(error.name, ERRORS[step], `${step}: ${error.message}`);
  if (name === "GetModelEditorApi") return assertStringIncludes(error.message, "was built without the Model Editor");
  assertStringIncludes(error.message, `injected failure of ${name}`);
  assert(error.cause instanceof OrtError, `${step}: the cause is ${error.cause}`);
  assertEquals([error.cause.codeName, error.cause.message], ["FAIL", `injected failure of ${name}`]);
}

async function succeed(faults: Faults, options: ContextOptions): Promise<Float32Array> {
  const ending = await runNetwork(() => createContext({ ...options, library: faults.path }));
  if ("error" in ending) throw ending.error;
  return ending.result;
}

async function copyLibrary(faults: Faults, n: number, folder: string): Promise<string> {
  const copy = join(folder, `copy_${n}.so`);
  await Deno.copyFile(faults.path, copy);
  return copy;
}

function equal(a: Record<string, number>, b: Record<string, number>): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
