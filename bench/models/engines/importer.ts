import { contextInfo, createContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import type { OpenEngine } from "../engine.ts";

/** This module's importer. */
export const open: OpenEngine = async ({ file, threads, dimensions }, inputs) => {
  const context = await createContext({ threads });
  const values = Object.fromEntries(inputs.map(({ name, data, shape }) => [name, { data, shape }]));
  const { backend, version } = contextInfo(context);
  return {
    title: `@webnn/deno on ${backend} ${version}`,
    async load() {
      const model = await loadOnnx(file, { context, dimensions });
      return { run: () => model.run(values), close: () => model.dispose() };
    },
  };
};
