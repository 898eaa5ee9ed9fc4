import { createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { env, InferenceSession, Tensor } from "onnxruntime-web/jspi";
import type { Engine, Job, OpenEngine } from "../engine.ts";
import type { Input } from "../model.ts";
import { feedsOf, outputsOf } from "./onnxruntime_js.ts";

// Deno does not allow onnxruntime-web's way of starting threads: workers from blob: URLs.
env.wasm.numThreads = 1;

/** onnxruntime-web, with as many nodes on WebNN as it supports. */
export const openOnWebNN: OpenEngine = async (job, inputs) => {
  const context = await createContext({ threads: job.threads });
  return engineOn({ name: "webnn", deviceType: "cpu", context }, job, inputs);
};

/** onnxruntime-web's own engine. */
export const openOnWebAssembly: OpenEngine = (job, inputs) => engineOn("wasm", job, inputs);

function engineOn(
  provider: InferenceSession.ExecutionProviderConfig,
  { file, dimensions }: Omit<Job, "inputs">,
  inputs: readonly Input[],
): Engine {
  const feeds = feedsOf(Tensor, inputs);
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    freeDimensionOverrides: dimensions,
    logSeverityLevel: 3,
  };
  return {
    title: `onnxruntime-web ${env.versions.web}`,
    async load() {
      const session = await InferenceSession.create(await Deno.readFile(file), options);
      return { run: async () => outputsOf(await session.run(feeds)), close: () => session.release() };
    },
  };
}
