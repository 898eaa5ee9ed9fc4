/**
 * Makes every failable call of Core ML fail once: the program must get an error or continue without that feature, leak
 * nothing, and compute the correct result in the next run.
 */
import { assert, assertEquals } from "@std/assert";
import { MLGraphBuilder } from "../../../mod.ts";
import { createMLContext, type MLContext } from "../../../src/api/ml_context.ts";
import { openCoreML } from "../../../src/backends/coreml/mod.ts";
import { messageOf } from "../../../src/errors.ts";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { openCallback, openFakeControls } from "../fake_framework.ts";

const [library, folder] = Deno.args as [string, string];
const fake = openFakeControls(library);
globalThis.addEventListener("unload", () => fake[Symbol.dispose]());

type Step = "open" | "build" | "createTensor" | "readTensor";
const ERRORS: Record<Step, string> = {
  open: "Error",
  build: "OperationError",
  createTensor: "UnknownError",
  readTensor: "OperationError",
};

/** Builds a graph and runs it. Returns the result, or the step that failed and its error. */
async function run(cacheDirectory: string): Promise<{ step: Step; error: unknown } | number[]> {
  let step: Step = "open";
  let context: MLContext | undefined;
  const closed = Promise.withResolvers<void>();
  try {
    const device = openCoreML({ cacheDirectory }, library);
    const close = device.close.bind(device);
    device.close = () => {
      close();
      closed.resolve();
    };
    context = createMLContext(device);
    step = "build";
    const builder = new MLGraphBuilder(context);
    const descriptor = { dataType: "float32", shape: [2, 3] } as const;
    const x = builder.input("x", descriptor);
    const graph = await builder.build({ y: builder.mul(x, builder.constant("float32", 2)), z: builder.neg(x) });
    step = "createTensor";
    const input = await context.createTensor({ ...descriptor, writable: true });
    const y = await context.createTensor({ ...descriptor, readable: true });
    const z = await context.createTensor({ ...descriptor, readable: true });
    context.writeTensor(input, Float32Array.of(1, 2, 3, 4, 5, 6));
    step = "readTensor";
    context.dispatch(graph, { x: input }, { y, z });
    const results = await Promise.all([context.readTensor(y), context.readTensor(z)]);
    return results.flatMap((buffer) => [...new Float32Array(buffer)]);
  } catch (error) {
    return { step, error };
  } finally {
    if (context) {
      context.destroy();
      await closed.promise;
    }
  }
}

const EXPECTED = [2, 4, 6, 8, 10, 12, -1, -2, -3, -4, -5, -6];

/** Makes the first call fail, then the second, and so on, until a run makes fewer calls. */
async function failEach(folderOf: (n: number) => string): Promise<void> {
  const failed: string[] = [];
  const problems: string[] = [];
  let survived = 0;
  for (let n = 1;; n++) {
    fake.fail(n);
    const ending = await run(folderOf(n));
    const name = fake.fired();
    fake.fail(0);
    await settle();
    problems.push(...problemsOf(ending).map((problem) => `call ${n}, ${name}: ${problem}`));
    if (name === undefined || fake.live() > 0) break;
    failed.push(name);
    if (Array.isArray(ending)) survived++;
    assertEquals(await run(folderOf(n)), EXPECTED, `after call ${n}, ${name}`);
    await settle();
  }
  const names = [...new Set(failed)];
  console.log(`${failed.length} calls of ${names.length} methods failed one by one: ${names.join(", ")}`);
  console.log(`the program computed its result in spite of ${survived} of them`);
  assertEquals(problems, []);
  // Listing devices and maintaining the cache are optional; everything else is required.
  assert(failed.length - survived > 25, "too few failures led to an error");
}

function problemsOf(ending: Awaited<ReturnType<typeof run>>): string[] {
  const problems: string[] = [];
  if (fake.live() > 0) {
    problems.push(`leaked ${JSON.stringify([...fake.objects()].filter(([name]) => /^ML/.test(name)))}`);
  }
  if (Array.isArray(ending)) {
    if (`${ending}` !== `${EXPECTED}`) problems.push(`a wrong result: ${ending}`);
    return problems;
  }
  const { step, error } = ending;
  const errorName = error instanceof Error ? error.name : "";
  if (errorName !== ERRORS[step]) problems.push(`${step} failed with ${errorName}: ${messageOf(error)}`);
  if (messageOf(error).length < 10) problems.push(`a message that is too short: ${messageOf(error)}`);
  return problems;
}

/** The framework's threads release their objects shortly after they have called the handler. */
async function settle(): Promise<void> {
  for (let i = 0; i < 500 && fake.live() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

await openCallback(openCoreMLFramework(library).runtime);

Deno.test("each call in turn fails while a graph is compiled, loaded and run", async () => {
  await failEach((n) => `${folder}/cold/${n}`);
});

Deno.test("each call in turn fails while a graph is loaded from the cache and run", async () => {
  assertEquals(await run(`${folder}/warm`), EXPECTED);
  await failEach(() => `${folder}/warm`);
});

Deno.test("each call in turn fails while outputs are copied", async () => {
  fake.ignoreBackings(true);
  await failEach(() => `${folder}/warm`);
  fake.ignoreBackings(false);
});

Deno.test({
  name: "each call in turn fails while Core ML is opened",
  sanitizeOps: false, // The callback of each opened Core ML stays open.
  sanitizeResources: false,
  fn: () => {
    const messages: string[] = [];
    let failed = 0;
    for (let n = 1;; n++) {
      fake.fail(n);
      try {
        // Core ML is opened once per path, so each attempt uses another path of the same library.
        openCoreMLFramework(`${folder}/${"./".repeat(n)}${library.slice(folder.length + 1)}`);
      } catch (error) {
        messages.push(messageOf(error));
      }
      if (fake.fired() === undefined) break;
      failed++;
    }
    fake.fail(0);
    console.log([...new Set(messages)].join("\n"));
    assert(failed > 3);
    assertEquals(messages.length, failed);
  },
});
