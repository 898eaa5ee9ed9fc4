const t0 = performance.now();
const origin = performance.timeOrigin;
const { createContext } = await import("@webnn/deno");
await import("@webnn/deno/polyfill");
const { buildMobileNetV2 } = await import("../../examples/mobilenetv2.ts");
const { parseSafetensors } = await import("../../examples/safetensors.ts");
const { coldStartInput } = await import("./cold_start_input.ts");
const marks: [string, number][] = [["start", t0]];
const mark = (n: string) => marks.push([n, performance.now()]);
mark("modules");
const [weights, cacheDirectory] = Deno.args as [string, string?];
const bytes = Deno.readFile(weights);
const context = await createContext(cacheDirectory === undefined ? {} : { cacheDirectory });
mark("context");
const w = parseSafetensors(await bytes);
mark("weights");
const { graph, inputs, outputs } = await buildMobileNetV2(context, w, { layout: "nchw" });
mark("build");
const create = (shape: readonly number[]) =>
  context.createTensor({ dataType: "float32", shape: [...shape], readable: true, writable: true });
const input = await create(inputs["input"]!);
const results = Object.fromEntries(
  await Promise.all(Object.entries(outputs).map(async ([name, shape]) => [name, await create(shape)] as const)),
);
mark("tensors");
context.writeTensor(input, coldStartInput());
mark("input");
context.dispatch(graph, { input }, results);
const features = new Float32Array(await context.readTensor(results["features"]!));
mark("run");
const s = JSON.stringify([...features]);
mark("print");
context.destroy();
console.log(marks.map(([n, t], i) => `${n} ${(t - (i ? marks[i - 1]![1] : 0)).toFixed(1)}`).join("  "), " total", marks.at(-1)![1].toFixed(1));
