/**
 * Moves reshapes after a convolution. Programs write a convolution over one axis as `conv2d` between two reshapes. The
 * reshapes prevent the engine from fusing the activation, and from keeping its layout up to the next convolution.
 *
 * @module
 */

import type { Value } from "../graph/graph.ts";
import { sameShape } from "../shape.ts";
import { become } from "./editor.ts";
import { row } from "./row.ts";

/** Moves an activation before a reshape of a convolution, if nothing else uses the reshape or the convolution. */
const activationBeforeReshape = row(
  ["clamp", "hardSigmoid", "leakyRelu", "relu", "tanh"],
  ["conv2d"],
  (node, graph) => {
    const reshape = graph.producer(node.operands.input, "reshape");
    const convolution = graph.producer(reshape?.operands.input, "conv2d");
    if (!reshape || !convolution || !graph.areInner([convolution, reshape], node)) return undefined;
    const { input } = reshape.operands;
    const activated = graph.insert(node.operator, { input }, node.attributes, input);
    return become("reshape", { input: activated }, reshape.attributes);
  },
);

/** Removes two reshapes that restore the original shape. */
const reshapedBack = row(["reshape"], [], (node, graph) => {
  const [output] = node.outputs as [Value];
  const original = graph.producer(node.operands.input, "reshape")?.operands.input;
  return original && sameShape(original.shape, output.shape) ? become("identity", { input: original }, {}) : undefined;
});

/** The rewrites of reshapes. */
export const reshapes = { activationBeforeReshape, reshapedBack };
