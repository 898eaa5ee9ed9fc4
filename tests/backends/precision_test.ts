/** float32 is computed in float32 on every installed provider, unless the context allows reduced precision. */

import { assert } from "@std/assert";
import { createContext, devices } from "@webnn/deno";
import { cpu, ggml, openvino, openvinoPlugin, type TestDevice, testOn, webgpu } from "../support/devices.ts";
import { productError } from "../support/product_error.ts";

/** Smaller than the error of any shorter format, and larger than that of float32 in any order of summation. */
const FLOAT32_ERROR = 1e-6;

async function errorsOn({ options }: TestDevice, allowReducedPrecision: boolean): Promise<number[]> {
  await using context = await createContext({ ...options, allowReducedPrecision });
  return [await productError(context, true), await productError(context, false)];
}

for (const device of [cpu, webgpu, openvino, ggml]) {
  testOn(device, "float32 products are computed in float32", async () => {
    for (const error of await errorsOn(device, false)) assert(error < FLOAT32_ERROR, `${error}`);
  });
}

testOn(openvinoPlugin, "float32 products are computed in float32, if it supports this processor", async () => {
  const entries = await devices({ plugins: openvinoPlugin.options.plugins! });
  const isSupported = entries.some(({ available, device, provider }) =>
    available && device === "cpu" && provider === "openvino"
  );
  if (!isSupported) return console.log("openvino-plugin: it offers no device for this processor");
  for (const error of await errorsOn(openvinoPlugin, false)) assert(error < FLOAT32_ERROR, `${error}`);
});

Deno.test("float32 products are computed in float32 on all other devices that devices() finds", async () => {
  const others = (await devices()).filter(({ available, provider }) =>
    available && !["cpu", "webgpu"].includes(provider)
  );
  for (const { backend, device, provider } of others) {
    const options = backend === "coreml" ? { backend, device, fallback: false } as const : { device, provider };
    for (const error of await errorsOn({ name: provider, options, missing: undefined }, false)) {
      assert(error < FLOAT32_ERROR, `${backend} (${provider}, ${device}): ${error}`);
    }
  }
});

testOn(ggml, "the measurement detects float16 weights, which ggml uses if the context allows it", async () => {
  const [constant] = await errorsOn(ggml, true) as [number, number];
  assert(constant > 10 * FLOAT32_ERROR, `${constant}`);
});
