/**
 * Normalisations: `scale · (x - mean) / √(variance + ε) + bias`.
 *
 * @module
 */

import { checkAxes, checkAxis, checkShape } from "./checks.ts";
import { castNumber } from "./ml_number.ts";
import { perOutput } from "./cost.ts";
import { FLOATS, maybe, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { epsilon, inputLayout, integer1, maybeIntegers } from "./parameters.ts";
import type { Value } from "../graph/graph.ts";
import type { Shape } from "../shape.ts";

/** Operations per element: sum, subtract, square, sum, divide, square root, scale, shift. */
const NORMALIZING = 8;

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-batchnorm */
const batchNormalization = operator({
  name: "batchNormalization",
  operands: {
    input: one(FLOATS, rank(1)),
    mean: one(sameAs("input"), rank(1, 1)),
    variance: one(sameAs("input"), rank(1, 1)),
    scale: maybe(sameAs("input"), rank(1, 1)),
    bias: maybe(sameAs("input"), rank(1, 1)),
  },
  outputs: { output: tensor(sameAs("input"), rank(1), "input") },
  options: { axis: integer1, epsilon },
  resolve({ input, ...operands }, { axis, epsilon }) {
    checkAxis(axis, input.shape.length);
    checkShapes(operands, [input.shape[axis]!]);
    return { attributes: { axis, epsilon: castEpsilon(epsilon, input) }, outputs: [input] };
  },
  // Subtract, divide, scale, shift.
  cost: perOutput(4),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-instancenorm */
const instanceNormalization = operator({
  name: "instanceNormalization",
  operands: {
    input: one(FLOATS, rank(4, 4)),
    scale: maybe(sameAs("input"), rank(1, 1)),
    bias: maybe(sameAs("input"), rank(1, 1)),
  },
  outputs: { output: tensor(sameAs("input"), rank(4, 4)) },
  options: { epsilon, layout: inputLayout },
  resolve({ input, ...operands }, { epsilon, layout }) {
    checkShapes(operands, [input.shape[layout.indexOf("c")]!]);
    return { attributes: { epsilon: castEpsilon(epsilon, input), layout }, outputs: [input] };
  },
  cost: perOutput(NORMALIZING),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-layernorm */
const layerNormalization = operator({
  name: "layerNormalization",
  operands: { input: one(FLOATS), scale: maybe(sameAs("input")), bias: maybe(sameAs("input")) },
  outputs: { output: tensor(sameAs("input"), rank(0), "input") },
  options: { axes: maybeIntegers, epsilon },
  resolve({ input, ...operands }, { axes = input.shape.map((_, axis) => axis).slice(1), epsilon }) {
    checkAxes(axes, input.shape.length);
    checkShapes(operands, axes.map((axis) => input.shape[axis]!));
    return { attributes: { axes, epsilon: castEpsilon(epsilon, input) }, outputs: [input] };
  },
  cost: perOutput(NORMALIZING),
});

/** Every operand that is present must have this shape. */
function checkShapes(operands: Readonly<Record<string, Value | undefined>>, shape: Shape): void {
  for (const [name, operand] of Object.entries(operands)) {
    if (operand) checkShape(name, operand.shape, shape);
  }
}

function castEpsilon(epsilon: number, { dataType }: Value): number {
  return Number(castNumber(epsilon, dataType));
}

/** The rows of normalisations. */
export const normalizations = {
  batchNormalization,
  instanceNormalization,
  layerNormalization,
};
