/** A fixed part of `deno task fuzz`, which runs with the tests; and whether the fuzzer finds faults. */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MLGraphBuilder } from "../../mod.ts";
import { tensor } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { callProgram, newCallTally, runCalls } from "./arena.ts";
import { propagate, type Uncertain } from "./errors.ts";
import { checkProgram, newGraphTally, shrink, withoutSteps } from "./graphs.ts";
import { fuzz, summary } from "./main.ts";
import { type Program, randomProgram, sourceOf, typesOf } from "./programs.ts";

const SEED = 20260626;

Deno.test("500 random graphs agree with the reference, and 10,000 hostile calls do no damage", async () => {
  const outcome = await fuzz({ seed: SEED, graphs: 500, calls: 10_000 });
  console.log(summary(outcome));
  const texts = outcome.failures.map(({ seed, text, source }) => `seed ${seed}: ${text}\n${source}`);
  assertEquals(texts, []);
  const { graphs, calls } = outcome.tallies;
  assertEquals([graphs.graphs, calls.calls], [500, 10_000]);
  assert(graphs.undefinedElements! < graphs.elements! / 10, "most elements are compared with the reference");
  assert(graphs.uncertainOutputs! < graphs.outputs! / 5, "most outputs of the second run are compared");
  assert(calls.typeErrors! > 3000 && calls.own! > 100 && calls.exhausted! > 0, "the calls are hostile");
});

/** Replaces a method of the builder during a test. */
async function withMethod(name: "input" | "relu" | "sub", method: unknown, test: () => Promise<void>): Promise<void> {
  const original = Object.getOwnPropertyDescriptor(MLGraphBuilder.prototype, name)!;
  Object.defineProperty(MLGraphBuilder.prototype, name, { ...original, value: method });
  try {
    await test();
  } finally {
    Object.defineProperty(MLGraphBuilder.prototype, name, original);
  }
}

/** relu, add, sub of float32 [2]. */
const CHAIN: Program = {
  leaves: [{ id: 0, tensor: tensor("float32", [2], [1.5, -2]), isConstant: false }],
  steps: [
    { operator: "relu", operands: { input: 0 }, attributes: {}, outputs: [1] },
    { operator: "sub", operands: { a: 1, b: 0 }, attributes: {}, outputs: [2] },
    { operator: "add", operands: { a: 2, b: 1 }, attributes: {}, outputs: [3] },
  ],
};

Deno.test("a wrong operator is found, and the graph is reduced to it", async () => {
  const context = await sharedContext();
  const check = (removed: readonly number[]) => checkProgram(context, withoutSteps(CHAIN, removed), newGraphTally());
  assertEquals(await check([]), undefined);
  const swapped = function (this: MLGraphBuilder, ...[a, b]: Parameters<MLGraphBuilder["sub"]>) {
    return this.add(a, b);
  };
  await withMethod("sub", swapped, async () => {
    assertStringIncludes((await check([]))!, "sub of a float32[2], b float32[2]: v2 [0] is 3 instead of 0");
    const removed = await shrink(CHAIN, async (removed) => await check(removed) !== undefined);
    assertEquals(removed, [0, 2]);
    assertEquals(withoutSteps(CHAIN, removed).steps, CHAIN.steps.slice(1, 2));
  });
});

Deno.test("a call that throws a wrong error, or changes the builder, is found", async () => {
  const types = typesOf(await sharedContext());
  const failures = () => runCalls(1, 500, types, newCallTally());
  assertEquals(await failures(), []);
  await withMethod("relu", () => {
    throw new RangeError("a wrong error");
  }, async () => {
    const [failure] = await failures();
    assertStringIncludes(failure!.text, "a wrong error");
    assertStringIncludes(failure!.source, "builder.relu(...args)");
  });
  const original = MLGraphBuilder.prototype.input;
  const careless = function (this: MLGraphBuilder, ...args: Parameters<typeof original>) {
    this.constant("float32", 1);
    return original.apply(this, args);
  };
  await withMethod("input", careless, async () => {
    const [failure] = await failures();
    assertStringIncludes(failure!.text, "the builder has changed from ");
    assertStringIncludes(failure!.source, "builder.input(...args)");
  });
});

Deno.test("a seed that crashes its process is reported and reduced, and the other seeds run", async () => {
  const program = new URL("crashing_batch.ts", import.meta.url);
  const { failures: [graph, call], tallies } = await fuzz({ seed: 1, graphs: 5, calls: 4 }, undefined, program);
  const types = typesOf(await sharedContext());
  const [first] = randomProgram(3, types).steps;
  assertEquals([graph!.seed, call!.seed], [3, 3]);
  // Windows has no signals.
  assertMatch(graph!.text, /^the process was ended by (SIGKILL|code \d+)$/);
  assertStringIncludes(graph!.source, `builder.${first!.operator}(`);
  assertEquals(graph!.source.match(/= builder\.(?!input|constant|build)/g)!.length, 1);
  assertEquals(call!.source, callProgram(3, types));
  // The work of a crashed process is not counted.
  assertEquals(tallies, { graphs: { graphs: 2 }, calls: { calls: 1 }, combinations: {} });
});

Deno.test("a seed always creates the same program, and its source runs", async () => {
  const types = typesOf(await sharedContext());
  const source = sourceOf(randomProgram(SEED, types));
  assertEquals(source, sourceOf(randomProgram(SEED, types)));
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const module = import.meta.resolve("../../mod.ts");
    await Deno.writeTextFile(file, sourceOf(CHAIN).replace("@webnn/deno", module));
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const args = [
      "run",
      "--quiet",
      "--no-check",
      "--allow-ffi",
      "--allow-read",
      "--allow-env",
      "--config",
      config,
      file,
    ];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertStringIncludes(new TextDecoder().decode(stdout), "v3 float32 [ 2 ]");
  } finally {
    await Deno.remove(file);
  }
});

/** A tensor with the same error for each element. */
function uncertain(error: number, shape: number[], data: number[]): Uncertain {
  return { tensor: tensor("float32", shape, data), errors: data.map(() => error) };
}

Deno.test("errors grow by the derivative, and are infinite near a jump", () => {
  const error = 2 ** -10;
  const x = uncertain(error, [2], [0.75, 1.9995]);
  const carried = (operator: "floor" | "neg" | "mul" | "softmax", operands: Record<string, Uncertain>) => {
    const output = tensor("float32", [2], [0.5, 0.5]);
    return propagate(operator, operands, { axis: 0 }, [output])[0]!;
  };
  assertEquals(carried("floor", { input: x }), [carried("floor", { input: x })[0]!, Infinity]);
  assert(carried("floor", { input: x })[0]! < 1e-6);
  assert(carried("neg", { input: x }).every((e) => e >= error && e < 1.001 * error));
  // The derivative of x · 3 is 3, and errors are doubled.
  const products = carried("mul", { a: x, b: uncertain(0, [2], [3, 3]) });
  assert(products.every((e) => e >= 3 * error && e < 6.1 * error), `${products}`);
  const shares = carried("softmax", { input: uncertain(error, [2], [1, 1]) });
  assert(shares.every((e) => e >= error / 2 && e < 2 * error), `${shares}`);
});
