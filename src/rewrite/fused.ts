/**
 * The fused operators: a second table beside that of the standard's operators. A rewrite makes nodes of them, and a
 * backend that names the rewrite has a lowering for each.
 *
 * @module
 */

import { elementsOf } from "../graph/cost.ts";
import type { Cost, Node, Value } from "../graph/graph.ts";
import { computing, type CostedNode, perInput, perOutput } from "../ops/cost.ts";
import type { AnyOperator } from "../ops/operator.ts";
import { elementCount } from "../shape.ts";
import { type NodeOf, type OperatorName, operators } from "../ops/operators.ts";

/** The window of a convolution, as conv2d has it. */
interface WindowAttributes {
  readonly padding: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/** Operands and attributes of each fused operator. */
export interface FusedOperators {
  /** `x / √(mean(x²) + epsilon) · scale`, the mean over the last dimensions, from `axis` on. */
  rmsNormalization: {
    readonly operands: {
      readonly input: Value;
      /** Has the shape of the normalised dimensions. */
      readonly scale: Value | undefined;
    };
    readonly attributes: { readonly axis: number; readonly epsilon: number };
  };
  /** `x · sigmoid(alpha · x)`. */
  scaledSilu: {
    readonly operands: { readonly input: Value };
    readonly attributes: { readonly alpha: number };
  };
  /**
   * `a [..., K] · Bᵀ`, where `B [N, K]` has four or eight bits an element: `B[n, k] = (w - z) · s`. The K elements of a row
   * stand in blocks of `blockSize`, each with its scale and zero point. The last block may reach beyond K.
   */
  blockMatmul: {
    readonly operands: {
      readonly a: Value;
      /** uint8 `[N, blocks, blockSize · bits / 8]`; of two elements of four bits, the first is the low half of a byte. */
      readonly weights: Value;
      /** float32 `[N · blocks]`. */
      readonly scales: Value;
      /** uint8 `[N · ⌈blocks · bits / 8⌉]`, packed like the weights, each row in bytes of its own; half of the range if absent. */
      readonly zeroPoints: Value | undefined;
    };
    readonly attributes: {
      readonly bits: 4 | 8;
      readonly inner: number;
      readonly columns: number;
      readonly blockSize: number;
    };
  };
  /** The sums of products of bytes: in int32, or rounded to float32, as the output has it. */
  integerMatmul: { readonly operands: IntegerFactors; readonly attributes: object };
  /** The sums of products of bytes times scales, plus a bias. */
  scaledIntegerMatmul: {
    readonly operands: IntegerFactors & {
      /** float32 of one element; 1 if absent. */
      readonly aScale: Value | undefined;
      /** float32 of one element, or one for each column; 1 if absent. */
      readonly bScale: Value | undefined;
      /** float32, one for each column. */
      readonly bias: Value | undefined;
    };
    readonly attributes: object;
  };
  /** The sums of products of bytes of a convolution, NCHW by OIHW, in int32 or rounded to float32, as the output has it. */
  integerConv2d: {
    readonly operands: {
      readonly input: Value;
      /** uint8 of one element. */
      readonly inputZeroPoint: Value;
      readonly filter: Value;
      /** uint8 of one element. */
      readonly filterZeroPoint: Value;
    };
    readonly attributes: WindowAttributes;
  };
  /** A convolution of bytes whose result is bytes: what dequantising, convolving and quantising gives. */
  quantizedConv2d: {
    readonly operands: {
      readonly input: Value;
      /** float32 of one element; 1 if absent. */
      readonly inputScale: Value | undefined;
      readonly inputZeroPoint: Value;
      readonly filter: Value;
      /** float32 of one element, or one for each output channel; 1 if absent. */
      readonly filterScale: Value | undefined;
      readonly filterZeroPoint: Value;
      /** int32, in units of the product of the scales. */
      readonly bias: Value | undefined;
      readonly outputScale: Value;
      readonly outputZeroPoint: Value;
    };
    readonly attributes: WindowAttributes & { readonly groups: number };
  };
  /** The sum or the product of dequantised bytes, quantised. Scales are of one element, and 1 if absent. */
  quantizedBinary: {
    readonly operands: {
      readonly a: Value;
      readonly aScale: Value | undefined;
      readonly aZeroPoint: Value;
      readonly b: Value;
      readonly bScale: Value | undefined;
      readonly bZeroPoint: Value;
      readonly outputScale: Value;
      readonly outputZeroPoint: Value;
    };
    readonly attributes: { readonly operator: "add" | "mul" };
  };
  /** The sigmoid of dequantised bytes, quantised. Scales are of one element, and 1 if absent. */
  quantizedSigmoid: {
    readonly operands: {
      readonly input: Value;
      readonly inputScale: Value | undefined;
      readonly inputZeroPoint: Value;
      readonly outputScale: Value;
      readonly outputZeroPoint: Value;
    };
    readonly attributes: object;
  };
  /**
   * `input` in uint8, with the scale and zero point that its range has, 0 included: three outputs, of which the latter are
   * of one element and have no dimensions.
   */
  dynamicQuantize: { readonly operands: { readonly input: Value }; readonly attributes: object };
}

/** Two matrices of unsigned bytes whose products are summed exactly: `Σ (a - aZeroPoint) · (b - bZeroPoint)`. */
type IntegerFactors = {
  readonly a: Value;
  /** uint8 of one element. */
  readonly aZeroPoint: Value;
  readonly b: Value;
  /** uint8 of one element, or one for each column of b. */
  readonly bZeroPoint: Value;
};

/** The name of a fused operator. */
export type FusedName = keyof FusedOperators;

/** A node of a fused operator. */
export interface FusedNode<Name extends FusedName> extends Node {
  readonly operator: Name;
  readonly operands: FusedOperators[Name]["operands"];
  readonly attributes: FusedOperators[Name]["attributes"];
}

/** The name of an operator of either table. */
export type AnyName = OperatorName | FusedName;

/** A node of either table, by the name of its operator. */
export type AnyNode<Name extends AnyName> = Name extends OperatorName ? NodeOf<Name>
  : Name extends FusedName ? FusedNode<Name>
  : never;

type CostsByName = { readonly [Name in FusedName]: (node: CostedNode & FusedParts<Name>) => Cost };
type FusedParts<Name extends FusedName> = Pick<FusedNode<Name>, "operands" | "attributes">;

/** Each element of the output meets the filter of its channel. */
function convolving(node: CostedNode & { readonly operands: { readonly filter: Value } }): Cost {
  return computing(node, elementsOf(node.outputs) * elementCount(node.operands.filter.shape.slice(1)));
}

/** As the rows of the standard's operators count them. */
const COSTS: CostsByName = {
  blockMatmul: (node) => computing(node, elementsOf(node.outputs) * node.attributes.inner),
  dynamicQuantize: perInput(4),
  integerConv2d: convolving,
  quantizedBinary: perOutput(4),
  quantizedConv2d: convolving,
  quantizedSigmoid: perOutput(1),
  integerMatmul: (node) => computing(node, elementsOf(node.outputs) * node.operands.a.shape.at(-1)!),
  rmsNormalization: perOutput(8),
  scaledIntegerMatmul: (node) => computing(node, elementsOf(node.outputs) * node.operands.a.shape.at(-1)!),
  scaledSilu: perOutput(3),
};

/** The cost of an operation of either table. */
export function costOfNode(operator: AnyName, node: CostedNode): Cost {
  if (operator in COSTS) return COSTS[operator as FusedName](node as never);
  const row: AnyOperator = operators[operator as OperatorName];
  return row.cost(node);
}
