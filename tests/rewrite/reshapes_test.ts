/** Activations after reshaped convolutions, pairs of reshapes that cancel, and look-alikes. */

import type { MLOperand } from "../../mod.ts";
import { assertBecomes, type Program, type Tools } from "./program.ts";

/** A convolution over one axis, [2, 3, 5] to [2, 4, 3], as two reshapes around a conv2d. */
function convolution({ b, f }: Tools, x: MLOperand): { flat: MLOperand; image: MLOperand } {
  const filter = f([4, 3, 1, 3], Array.from({ length: 36 }, (_, i) => (i % 7) - 3));
  const image = b.conv2d(b.reshape(x, [2, 3, 1, 5]), filter);
  return { image, flat: b.reshape(image, [2, 4, 3]) };
}

const activated = (activate: (tools: Tools, flat: MLOperand) => MLOperand): Program => (tools) =>
  activate(tools, convolution(tools, tools.input([2, 3, 5])).flat);

const activations: Readonly<Record<string, (tools: Tools, flat: MLOperand) => MLOperand>> = {
  Clip: ({ b }, x) => b.clamp(x, { minValue: -1, maxValue: 2 }),
  HardSigmoid: ({ b }, x) => b.hardSigmoid(x, { alpha: 0.3, beta: 0.4 }),
  LeakyRelu: ({ b }, x) => b.leakyRelu(x, { alpha: 0.3 }),
  Relu: ({ b }, x) => b.relu(x),
  Tanh: ({ b }, x) => b.tanh(x),
};

for (const [op, activate] of Object.entries(activations)) {
  Deno.test(`${op} moves from after a reshape to the convolution before it`, async () => {
    await assertBecomes(["Reshape", "Conv", op, "Reshape"], activated(activate));
  });
}

Deno.test("a chain of convolutions over one axis has no reshapes in between", async () => {
  await assertBecomes(["Reshape", "Conv", "Relu", "Identity", "Conv", "Reshape"], (tools) => {
    const { b, f } = tools;
    const x = b.relu(convolution(tools, tools.input([2, 3, 5])).flat);
    return b.reshape(b.conv2d(b.reshape(x, [2, 4, 1, 3]), f([5, 4, 1, 1], 0.5)), [2, 5, 3]);
  });
});

Deno.test("an activation stays after a reshape that is also used elsewhere", async () => {
  await assertBecomes(["Reshape", "Conv", "Reshape", "Relu", "Abs"], (tools) => {
    const { flat } = convolution(tools, tools.input([2, 3, 5]));
    return [tools.b.relu(flat), tools.b.abs(flat)];
  });
  await assertBecomes(["Reshape", "Conv", "Reshape", "Relu"], (tools) => {
    const { flat } = convolution(tools, tools.input([2, 3, 5]));
    return [tools.b.relu(flat), flat];
  });
});

Deno.test("an activation stays after a reshape of a convolution that is also used elsewhere", async () => {
  await assertBecomes(["Reshape", "Conv", "Reshape", "Relu", "Abs"], (tools) => {
    const { flat, image } = convolution(tools, tools.input([2, 3, 5]));
    return [tools.b.relu(flat), tools.b.abs(image)];
  });
});

Deno.test("an activation stays after a reshape of another operator", async () => {
  await assertBecomes(["Abs", "Reshape", "Relu"], ({ b, input }) => b.relu(b.reshape(b.abs(input([2, 6])), [3, 4])));
  await assertBecomes(["Reshape", "Conv", "Relu", "Reshape", "Tanh"], activated(({ b }, x) => b.tanh(b.relu(x))));
});

Deno.test("two reshapes back to the original shape are removed, two reshapes to another shape are not", async () => {
  const twice = (shape: number[]): Program => ({ b, input }) =>
    b.abs(b.reshape(b.reshape(b.neg(input([2, 6])), [3, 4]), shape));
  await assertBecomes(["Neg", "Identity", "Abs"], twice([2, 6]), 0);
  await assertBecomes(["Neg", "Reshape", "Reshape", "Abs"], twice([6, 2]), 0);
  await assertBecomes(["Neg", "Reshape", "Reshape", "Abs"], twice([1, 2, 6]), 0);
});

Deno.test("the first of two cancelling reshapes stays if it is also used elsewhere", async () => {
  await assertBecomes(["Neg", "Reshape", "Identity", "Abs"], ({ b, input }) => {
    const narrow = b.reshape(b.neg(input([2, 6])), [3, 4]);
    return [b.abs(b.reshape(narrow, [2, 6])), narrow];
  }, 0);
});
