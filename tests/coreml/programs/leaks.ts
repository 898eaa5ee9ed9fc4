/** 1,000 cycles of build, create, write, dispatch, read and destroy leak no objects and no memory. */
import { assertEquals, assertLess } from "@std/assert";
import { MLGraphBuilder } from "../../../mod.ts";
import { createMLContext } from "../../../src/api/ml_context.ts";
import { openCoreML } from "../../../src/backends/coreml/mod.ts";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { openCallback, openFakeControls } from "../fake_framework.ts";

declare const gc: () => void;

const [library, folder] = Deno.args as [string, string];
const CYCLES = 1000;
const WARM_UP = 1000;
/** The number of models that are compiled; later cycles find theirs in the cache. */
const MODELS = 50;
/** The maximum growth of the resident memory in bytes per cycle. A leaked tensor takes 4,096, a model more. */
const MAX_SLOPE = 1024;

await openCallback(openCoreMLFramework(library).runtime);

Deno.test(`${CYCLES} cycles`, async () => {
  using fake = openFakeControls(library);
  const context = createMLContext(openCoreML({ cacheDirectory: `${folder}/cache` }, library));
  const descriptor = { dataType: "float32", shape: [16, 16] } as const;
  const data = new Float32Array(256).fill(1);

  async function cycle(i: number): Promise<void> {
    fake.ignoreBackings(i % 3 === 0);
    const builder = new MLGraphBuilder(context);
    const weights = builder.constant(descriptor, new Float32Array(256).fill(i % MODELS));
    const graph = await builder.build({ y: builder.matmul(builder.input("x", descriptor), weights) });
    const x = await context.createTensor({ ...descriptor, writable: true });
    const y = await context.createTensor({ ...descriptor, readable: true });
    context.writeTensor(x, data);
    context.dispatch(graph, { x }, { y });
    assertEquals(new Float32Array(await context.readTensor(y)), new Float32Array(256).fill(16 * (i % MODELS)));
    for (const object of [x, y, graph]) object.destroy();
  }

  for (let i = 0; i < WARM_UP; i++) await cycle(i); // Heaps grow to their size, and GNUstep creates its permanent objects.
  fake.objects(); // The first count creates objects.
  const before = await settledObjects(fake);
  const samples: number[] = [];
  for (let i = 0; i < CYCLES; i++) {
    await cycle(i);
    if (i % 50 !== 49) continue;
    gc();
    samples.push(Deno.memoryUsage().rss);
  }
  const after = await settledObjects(fake);
  const slope = slopeOf(samples) / 50;
  console.log(`resident memory in MB: ${samples.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(" ")}`);
  console.log(`slope: ${slope.toFixed(0)} bytes per cycle`);
  const grown = [...after].filter(([name, count]) => count > (before.get(name) ?? 0) + CYCLES / 100);
  assertEquals(grown, [], "objects of Foundation");
  assertLess(slope, MAX_SLOPE);
  context.destroy();
  const left = await settledObjects(fake);
  assertEquals([...left].filter(([name]) => name.startsWith("ML")), []);
  assertEquals(fake.live(), 0);
});

/** Objects by class, after the framework's threads have released theirs. */
async function settledObjects(fake: ReturnType<typeof openFakeControls>): Promise<Map<string, number>> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return fake.objects();
}

/**
 * The median of the slopes between all pairs of values, so that a single jump, such as a new heap arena, does not
 * count.
 */
function slopeOf(values: readonly number[]): number {
  const slopes = values.flatMap((a, i) => values.slice(i + 1).map((b, j) => (b - a) / (j + 1)));
  return slopes.sort((a, b) => a - b)[slopes.length >> 1]!;
}
