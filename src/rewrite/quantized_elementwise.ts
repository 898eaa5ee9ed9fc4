/**
 * Recognises element-wise operators and movements from bytes to bytes: dequantise, compute, quantise.
 *
 * @module
 */

import type { Value } from "../graph/graph.ts";
import { elementCount } from "../shape.ts";
import { become, type GraphView, type Replacement } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { type Factor, factorOf, flat } from "./integer_factors.ts";
import { row } from "./row.ts";

/** `quantizeLinear(a + b)` or `quantizeLinear(a · b)` of dequantised a and b. Parameters are single constants. */
const quantizedBinary = row(["quantizeLinear"], ["dequantizeLinear"], (node, graph) => {
  const computed = graph.producer(node.operands.input, "add", "mul");
  const output = computed && parametersOf(node, graph);
  if (!output || !graph.areInner([computed], node)) return undefined;
  const a = constantFactor(computed.operands.a, graph);
  const b = a && constantFactor(computed.operands.b, graph);
  if (!b) return undefined;
  return become("quantizedBinary", {
    a: a.bytes,
    aScale: a.scale,
    aZeroPoint: a.zeroPoint,
    b: b.bytes,
    bScale: b.scale,
    bZeroPoint: b.zeroPoint,
    ...output,
  }, { operator: computed.operator });
});

/** `quantizeLinear(sigmoid(x))` of a dequantised x. */
const quantizedSigmoid = row(["quantizeLinear"], ["sigmoid"], (node, graph) => {
  const computed = graph.producer(node.operands.input, "sigmoid");
  const output = computed && parametersOf(node, graph);
  if (!output || !graph.areInner([computed], node)) return undefined;
  const input = constantFactor(computed.operands.input, graph);
  return input &&
    become("quantizedSigmoid", {
      input: input.bytes,
      inputScale: input.scale,
      inputZeroPoint: input.zeroPoint,
      ...output,
    }, {});
});

/** Moves bytes directly, if they are dequantised, moved, and quantised again with the same parameters. */
const movedBytes = row(["quantizeLinear"], ["dequantizeLinear"], (node, graph) => {
  const moving = graph.producer(node.operands.input, "reshape", "transpose", "slice", "expand", "concat");
  const output = moving && parametersOf(node, graph);
  if (!output || !graph.areInner([moving], node)) return undefined;
  const values = moving.operator === "concat" ? moving.operands.inputs : [moving.operands.input];
  const bytes = values.map((value) => sameBytes(value, output, graph));
  if (!bytes.every((value) => value !== undefined)) return undefined;
  return movement(moving, bytes as Value[]);
});

function movement(
  moving: AnyNode<"reshape" | "transpose" | "slice" | "expand" | "concat">,
  bytes: readonly Value[],
): Replacement {
  if (moving.operator === "concat") return become("concat", { inputs: bytes }, moving.attributes);
  return become(moving.operator, { input: bytes[0]! }, moving.attributes as never);
}

/** The scale and zero point of an output. */
interface Parameters {
  readonly outputScale: Value;
  readonly outputZeroPoint: Value;
}

function parametersOf(
  { operands: { scale, zeroPoint } }: AnyNode<"quantizeLinear">,
  graph: GraphView,
): Parameters | undefined {
  const isOne = elementCount(scale.shape) === 1 && zeroPoint.dataType === "uint8";
  if (!isOne || scale.dataType !== "float32" || graph.uniform(scale) === undefined || !graph.isConstant(zeroPoint)) {
    return undefined;
  }
  return { outputScale: flat(scale, graph), outputZeroPoint: flat(zeroPoint, graph) };
}

/** Dequantised bytes with one constant scale and one constant zero point. */
function constantFactor(value: Value, graph: GraphView): Factor | undefined {
  const factor = factorOf(value, undefined, graph);
  if (!factor || !graph.isConstant(factor.zeroPoint)) return undefined;
  return factor.scale === undefined || graph.isConstant(factor.scale) ? factor : undefined;
}

/** The bytes of a value that is dequantised with the same parameters as the output. */
function sameBytes(value: Value, output: Parameters, graph: GraphView): Value | undefined {
  const factor = constantFactor(value, graph);
  if (!factor) return undefined;
  const scale = factor.scale ? graph.uniform(factor.scale) : 1;
  const isSame = scale === graph.uniform(output.outputScale) &&
    graph.bytes(factor.zeroPoint)![0] === graph.bytes(output.outputZeroPoint)![0];
  // With more extreme scales, (byte · scale) / scale may not be exact.
  return isSame && scale! > 2 ** -100 && scale! < 2 ** 100 ? factor.bytes : undefined;
}

/** The rewrites to element-wise operators on bytes. */
export const quantizedElementwise = { quantizedBinary, quantizedSigmoid, movedBytes };
