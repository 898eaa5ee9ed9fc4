/** Convolutions of padded images, products of transposed matrices, and look-alikes. */

import { assert, assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import type { MLPadOptions } from "../../src/api/dictionaries.ts";
import { assertBecomes, assertSame, type Program, run, type Tools } from "./program.ts";

type Sizes = readonly [number, number, number, number];
type Outputs = (tools: Tools, y: MLOperand, padded: MLOperand) => MLOperand | MLOperand[];

/** A pad before a convolution that also has padding. */
function paddedConvolution(
  beginning: Sizes,
  ending: Sizes,
  { filter = 0.5, layout = "nchw", outputs = (_, y) => y, ...options }: MLPadOptions & {
    readonly filter?: number;
    readonly layout?: "nchw" | "nhwc";
    readonly outputs?: Outputs;
  } = {},
): Program {
  return (tools) => {
    const { b, f, input } = tools;
    const padded = b.pad(input(layout === "nchw" ? [1, 2, 5, 6] : [1, 5, 6, 2]), [...beginning], [...ending], options);
    const channels = padded.shape[layout.indexOf("c")]!;
    const y = b.conv2d(padded, f([3, channels, 2, 3], filter), { padding: [1, 0, 0, 2], inputLayout: layout });
    return outputs(tools, y, padded);
  };
}

Deno.test("padding by 0 becomes padding of the convolution", async () => {
  const { onnx } = await assertBecomes(["Conv"], paddedConvolution([0, 0, 1, 2], [0, 0, 3, 0]));
  assertEquals(onnx.nodes[0]!.attributes.pads, [2, 2, 3, 2]);
  const inNhwc = paddedConvolution([0, 1, 2, 0], [0, 3, 0, 0], { layout: "nhwc" });
  await assertBecomes(["Transpose", "Conv", "Transpose"], inNhwc);
});

const AROUND: Sizes = [0, 0, 1, 1];

const keptPads: Readonly<Record<string, Program>> = {
  "by another value": paddedConvolution(AROUND, AROUND, { value: 1 }),
  "by -0": paddedConvolution(AROUND, AROUND, { value: -0 }),
  "by edges": paddedConvolution(AROUND, AROUND, { mode: "edge" }),
  "by reflections": paddedConvolution(AROUND, AROUND, { mode: "reflection" }),
  "of channels": paddedConvolution([0, 1, 1, 1], AROUND),
  "of batches": paddedConvolution(AROUND, [1, 0, 1, 1]),
  "before a filter with infinities": paddedConvolution(AROUND, AROUND, { filter: Infinity }),
  "that others use": paddedConvolution(AROUND, AROUND, { outputs: ({ b }, y, padded) => [y, b.exp(padded)] }),
  "that is an output": paddedConvolution(AROUND, AROUND, { outputs: (_, y, padded) => [y, padded] }),
  "before a filter that is an input": ({ b, input }) =>
    b.conv2d(b.pad(input([1, 2, 4, 4]), [...AROUND], [...AROUND]), input([3, 2, 2, 2])),
};
for (const [name, program] of Object.entries(keptPads)) {
  Deno.test(`a pad ${name} stays before a convolution`, async () => {
    const outcome = await run(program);
    assert(outcome.ops.includes("Pad"), `${outcome.ops}`);
    assertSame(outcome);
  });
}

Deno.test("a transposed matrix becomes an attribute of gemm", async () => {
  await assertBecomes(["Gemm"], ({ b, input }) => b.gemm(b.transpose(input([3, 4])), b.transpose(input([5, 3]))));
  await assertBecomes(
    ["Gemm"],
    ({ b, input }) => b.gemm(b.transpose(input([4, 3])), input([5, 3]), { aTranspose: true, bTranspose: true }),
  );
});

const keptTransposes: Readonly<Record<string, Program>> = {
  "that is an output": ({ b, input }) => {
    const a = b.transpose(input([3, 4]));
    return [b.gemm(a, input([3, 5])), a];
  },
  "that others use": ({ b, input }) => {
    const a = b.transpose(input([3, 4]));
    return [b.gemm(a, input([3, 5])), b.exp(a)];
  },
  "that is both operands": ({ b, input }) => {
    const a = b.transpose(input([3, 3]));
    return b.gemm(a, a);
  },
};
for (const [name, program] of Object.entries(keptTransposes)) {
  Deno.test(`a transpose ${name} stays before gemm`, async () => {
    const outcome = await run(program);
    assert(outcome.ops.includes("Transpose"), `${outcome.ops}`);
    assertSame(outcome);
  });
}
