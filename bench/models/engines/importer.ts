import { contextInfo, type ContextOptions, createContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { openvino } from "../../../support/devices.ts";
import type { Engine, Job, OpenEngine } from "../engine.ts";
import type { Input } from "../model.ts";

/** This module's importer on the CPU. */
export const open: OpenEngine = (job, inputs) => openOn({}, job, inputs);

/** This module's importer on OpenVINO. */
export const openOnOpenVino: OpenEngine = (job, inputs) => {
  if (openvino.missing) throw new Error(openvino.missing);
  return openOn(openvino.options, job, inputs);
};

async function openOn(
  options: ContextOptions,
  { file, threads, dimensions }: Omit<Job, "inputs">,
  inputs: readonly Input[],
): Promise<Engine> {
  const context = await createContext({ ...options, threads });
  const values = Object.fromEntries(inputs.map(({ name, data, shape }) => [name, { data, shape }]));
  const { backend, provider, version } = contextInfo(context);
  return {
    title: `@webnn/deno on ${backend} ${version}${provider === "cpu" ? "" : `, ${provider}`}`,
    async load() {
      const model = await loadOnnx(file, { context, dimensions });
      return { run: () => model.run(values), close: () => model.dispose() };
    },
  };
}
