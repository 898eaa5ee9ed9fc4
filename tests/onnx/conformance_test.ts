/**
 * The importer's results: ONNX's node tests, if pip can download them, and our own models.
 */
import { assert, assertEquals } from "@std/assert";
import { createContext, type MLContext } from "@webnn/deno";
import { loadOnnx, type TensorInput } from "@webnn/deno/onnx";
import { elementsOf, knownTensor } from "../../src/onnx/value.ts";
import { onnxFile, type TensorSpec } from "../support/onnx_writer.ts";
import { differenceOf } from "./conformance.ts";
import { report, runAll } from "./main.ts";
import { fetchNodeTests } from "./node_data.ts";
import { OWN_MODELS, type OwnModel } from "./own_models/mod.ts";
import type { Tensor64 } from "./tensor64.ts";

Deno.test(`${OWN_MODELS.length} of our own models give the results of the float64 reference`, async (t) => {
  assert(OWN_MODELS.length >= 150, `${OWN_MODELS.length} models`);
  const context = await createContext();
  for (const model of OWN_MODELS) {
    await t.step(model.name, async () => assertEquals(await differencesOf(context, model), []));
  }
  context.destroy();
});

async function differencesOf(context: MLContext, own: OwnModel): Promise<string[]> {
  using model = await loadOnnx(fileOf(own), { context });
  const inputs = own.inputs.flatMap((tensor, i) =>
    tensor && !own.known?.includes(i) ? [[`x${i}`, inputOf(tensor)] as const] : []
  );
  const results = await model.run(Object.fromEntries(inputs));
  return own.outputs.flatMap((expected, i) => {
    if (!expected) return [];
    const { data, shape } = results[`y${i}`]!;
    const difference = differenceOf(data as ArrayLike<number | bigint>, shape, tensorOf(expected));
    return difference ? [`y${i}: ${difference}`] : [];
  });
}

function fileOf({ op, domain, opset, attributes, inputs, known = [], outputs }: OwnModel): Uint8Array {
  const names = inputs.map((tensor, i) => tensor ? `x${i}` : "");
  const results = outputs.map((tensor, i) => tensor ? `y${i}` : "");
  const port = (tensor: Tensor64, name: string) => ({ name, type: tensor.type, shape: tensor.shape });
  return onnxFile({
    opset: opset ?? 21,
    nodes: [{ op, inputs: names, outputs: results, ...domain && { domain }, ...attributes && { attributes } }],
    inputs: inputs.flatMap((tensor, i) => tensor && !known.includes(i) ? [port(tensor, names[i]!)] : []),
    outputs: outputs.flatMap((tensor, i) => tensor ? [port(tensor, results[i]!)] : []),
    initializers: known.map((i): TensorSpec => {
      const { type, shape, data } = inputs[i]!;
      return { name: names[i]!, type, shape, data };
    }),
  });
}

function tensorOf({ type, shape, data }: Tensor64) {
  return knownTensor(type, shape, data);
}

function inputOf(tensor: Tensor64): TensorInput {
  return { data: elementsOf(tensorOf(tensor)) as TensorInput["data"], shape: tensor.shape };
}

const nodeTests = await fetchNodeTests().catch((error: Error) => error);
const missing = nodeTests instanceof Error ? ` (skipped: ${nodeTests.message})` : "";

Deno.test({
  name: `ONNX's node tests${missing}`,
  ignore: nodeTests instanceof Error,
  async fn() {
    const outcomes = await runAll(nodeTests as string, "", () => {});
    const counted = (status: string) => outcomes.filter((outcome) => outcome.status === status).length;
    const byGraph = outcomes.filter((outcome) => outcome.status === "passed" && outcome.by === "graph").length;
    assertEquals(counted("wrong"), 0, report(outcomes));
    assert(counted("passed") >= 1050 && byGraph >= 800, report(outcomes));
  },
});
