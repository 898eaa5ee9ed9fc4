/**
 * Whether an NHWC graph pays for its layout: MobileNetV2 built in both layouts, run in turns. Prints a Markdown table of
 * the medians and their ratio.
 *
 * @module
 */
import { contextInfo, createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { buildMobileNetV2 } from "../examples/mobilenetv2.ts";
import { parseSafetensors } from "../examples/safetensors.ts";
import { mobileNetV2Weights, whatIsMissing } from "./support/mobilenetv2.ts";
import { median } from "./support/statistics.ts";

const ROUNDS = 200;
const LAYOUTS = ["nchw", "nhwc"] as const;

const missing = whatIsMissing();
if (missing) console.error(missing);
else for (const threads of [1, 2]) await compare(threads);

async function compare(threads: number): Promise<void> {
  using context = await createContext({ threads });
  const runs = await Promise.all(LAYOUTS.map((layout) => prepare(context, layout)));
  const times: number[][] = LAYOUTS.map(() => []);
  for (let round = -10; round < ROUNDS; round++) {
    for (const [i, run] of runs.entries()) {
      const began = performance.now();
      await run();
      if (round >= 0) times[i]!.push(performance.now() - began);
    }
  }
  const [nchw, nhwc] = times.map(median) as [number, number];
  const { backend, version } = contextInfo(context);
  const figures = [`${nchw.toFixed(2)} ms`, `${nhwc.toFixed(2)} ms`, (nhwc / nchw).toFixed(3)];
  console.log(
    `${backend} ${version}, ${threads} thread${threads > 1 ? "s" : ""}, medians of ${ROUNDS}: nchw ${
      figures[0]
    }, nhwc ${figures[1]}, ratio ${figures[2]}`,
  );
}

/** A function that runs the network once, dispatch and read. */
async function prepare(context: MLContext, layout: typeof LAYOUTS[number]): Promise<() => Promise<void>> {
  const weights = parseSafetensors(await Deno.readFile(mobileNetV2Weights()));
  const { graph, inputs, outputs } = await buildMobileNetV2(context, weights, { layout });
  const tensor = (shape: readonly number[]) =>
    context.createTensor({ dataType: "float32", shape, readable: true, writable: true });
  const named = async (shapes: Record<string, readonly number[]>) =>
    Object.fromEntries(
      await Promise.all(Object.entries(shapes).map(async ([name, shape]) => [name, await tensor(shape)])),
    );
  const [inputTensors, outputTensors] = [await named(inputs), await named(outputs)];
  return async () => {
    context.dispatch(graph, inputTensors, outputTensors);
    await context.readTensor(outputTensors["features"]!);
  };
}
