import * as ort from "onnxruntime-node";
import type { OpenEngine } from "../engine.ts";
import { feedsOf, outputsOf } from "./onnxruntime_js.ts";

/** ONNX Runtime's package for Node. */
export const open: OpenEngine = ({ file, threads }, inputs) => {
  const feeds = feedsOf(ort.Tensor, inputs);
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  return {
    title: `ONNX Runtime ${ort.env.versions.node}`,
    async load() {
      const session = await ort.InferenceSession.create(file, options);
      return { run: async () => outputsOf(await session.run(feeds)), close: () => session.release() };
    },
  };
};
