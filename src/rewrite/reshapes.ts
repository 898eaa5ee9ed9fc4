/**
 * Reshapes between a convolution and what follows it. Convolutions over one axis are written as `conv2d` between two
 * reshapes, which keep the engine from fusing the activation and from keeping its own layout until the next one.
 *
 * @module
 */

import type { Value } from "../graph/graph.ts";
import { sameShape } from "../shape.ts";
import { become } from "./editor.ts";
import { row } from "./row.ts";

/** An activation of a reshaped convolution is the reshape of the activated one. Nothing else may use either. */
const activationBeforeReshape = row(["clamp", "hardSigmoid", "leakyRelu", "relu", "tanh"], (node, graph) => {
  const reshape = graph.made(node.operands.input, "reshape");
  const convolution = graph.made(reshape?.operands.input, "conv2d");
  if (!reshape || !convolution || !graph.areInner([convolution, reshape], node)) return undefined;
  const { input } = reshape.operands;
  const activated = graph.insert(node.operator, { input }, node.attributes, input);
  return become("reshape", { input: activated }, reshape.attributes);
});

/** A value that was reshaped and gets its shape back. */
const reshapedBack = row(["reshape"], (node, graph) => {
  const [output] = node.outputs as [Value];
  const original = graph.made(node.operands.input, "reshape")?.operands.input;
  return original && sameShape(original.shape, output.shape) ? become("identity", { input: original }, {}) : undefined;
});

/** The rows of reshapes. */
export const reshapes = { activationBeforeReshape, reshapedBack };
