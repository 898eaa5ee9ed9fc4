/**
 * Whether NHWC costs time: MobileNetV2 in both layouts.
 *
 * @module
 */
import { createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { buildMobileNetV2 } from "../examples/mobilenetv2.ts";
import { createInference } from "../examples/inference.ts";
import { parseSafetensors } from "../examples/safetensors.ts";
import { mobileNetV2Weights, whatIsMissing } from "./support/mobilenetv2.ts";
import { mobileNetV2Input } from "./support/mobilenetv2_input.ts";
import { benchMissing } from "./support/suite.ts";

const missing = whatIsMissing();
if (missing) benchMissing(missing);
else for (const threads of [1, 2]) await benchLayouts(threads);

async function benchLayouts(threads: number): Promise<void> {
  const context = await createContext({ threads });
  const weights = parseSafetensors(await Deno.readFile(mobileNetV2Weights()));
  for (const layout of ["nchw", "nhwc"] as const) {
    const inference = await createInference(context, await buildMobileNetV2(context, weights, { layout }));
    const inputs = { input: mobileNetV2Input() }; // For both layouts: the time does not depend on the values.
    const group = `mobilenetv2 by layout, ${threads} thread${threads > 1 ? "s" : ""}`;
    Deno.bench(layout, { group, baseline: layout === "nchw" }, async () => void await inference.run(inputs));
  }
}
