/**
 * The fused operators: a second table of operators, next to the standard's. Rewrites create their nodes. A backend
 * that uses a rewrite has a lowering for its fused operators.
 *
 * @module
 */

import { elementsOf } from "../graph/cost.ts";
import type { Cost, Node, Value } from "../graph/graph.ts";
import { computing, type CostedNode, perInput, perOutput } from "../ops/cost.ts";
import { elementCount } from "../shape.ts";
import { costByRow, type NodeOf, type OperatorName } from "../ops/operators.ts";

/** The window attributes of `conv2d`. */
interface WindowAttributes {
  readonly padding: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/** The operands and attributes of each fused operator. */
export interface FusedOperators {
  /** `x / √(mean(x²) + epsilon) · scale`, where the mean is over the dimensions from `axis` on. */
  rmsNormalization: {
    readonly operands: {
      readonly input: Value;
      /** Has the shape of the normalised dimensions. */
      readonly scale: Value | undefined;
    };
    readonly attributes: { readonly axis: number; readonly epsilon: number };
  };
  /** `input · scale + bias` of an NCHW image, with constants `scale` and `bias` of one element per channel. */
  affineChannels: {
    readonly operands: { readonly input: Value; readonly scale: Value; readonly bias: Value };
    readonly attributes: object;
  };
  /** `½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`. */
  geluByTanh: { readonly operands: { readonly input: Value }; readonly attributes: object };
  /** `alpha · a · b`, a matrix product. */
  scaledMatmul: {
    readonly operands: { readonly a: Value; readonly b: Value };
    readonly attributes: { readonly alpha: number };
  };
  /** `x · sigmoid(alpha · x)`. */
  scaledSilu: {
    readonly operands: { readonly input: Value };
    readonly attributes: { readonly alpha: number };
  };
  /**
   * `a [..., K] · Bᵀ`, where `B [N, K]` has 4- or 8-bit elements: `B[n, k] = (w - z) · s`. The K elements of a row are
   * in blocks of `blockSize`, each with a scale and a zero point. The last block is padded.
   */
  blockMatmul: {
    readonly operands: {
      readonly a: Value;
      /** uint8 `[N, blocks, blockSize · bits / 8]`; the first of two 4-bit elements is the low half of a byte. */
      readonly weights: Value;
      /** float32 `[N · blocks]`. */
      readonly scales: Value;
      /** uint8 `[N · ⌈blocks · bits / 8⌉]`, packed; each row starts at a new byte. 2^(bits − 1) if absent. */
      readonly zeroPoints: Value | undefined;
    };
    readonly attributes: {
      readonly bits: 4 | 8;
      readonly inner: number;
      readonly columns: number;
      readonly blockSize: number;
    };
  };
  /** A matrix product of bytes. The sums are int32, or rounded to float32, like the output's data type. */
  integerMatmul: { readonly operands: IntegerFactors; readonly attributes: object };
  /** A matrix product of bytes, times scales, plus a bias. */
  scaledIntegerMatmul: {
    readonly operands: IntegerFactors & {
      /** One float32; 1 if absent. */
      readonly aScale: Value | undefined;
      /** One float32, or one for each column; 1 if absent. */
      readonly bScale: Value | undefined;
      /** One float32 for each column. */
      readonly bias: Value | undefined;
    };
    readonly attributes: object;
  };
  /** A convolution of bytes, NCHW by OIHW. The sums are int32, or rounded to float32, like the output's data type. */
  integerConv2d: {
    readonly operands: {
      readonly input: Value;
      /** One uint8. */
      readonly inputZeroPoint: Value;
      readonly filter: Value;
      /** One uint8. */
      readonly filterZeroPoint: Value;
    };
    readonly attributes: WindowAttributes;
  };
  /** A convolution from bytes to bytes: dequantises, convolves, and quantises the result. */
  quantizedConv2d: {
    readonly operands: {
      readonly input: Value;
      /** One float32; 1 if absent. */
      readonly inputScale: Value | undefined;
      readonly inputZeroPoint: Value;
      readonly filter: Value;
      /** One float32, or one for each output channel; 1 if absent. */
      readonly filterScale: Value | undefined;
      readonly filterZeroPoint: Value;
      /** int32, in units of `inputScale · filterScale`. */
      readonly bias: Value | undefined;
      readonly outputScale: Value;
      readonly outputZeroPoint: Value;
    };
    readonly attributes: WindowAttributes & { readonly groups: number };
  };
  /** Dequantises bytes, adds or multiplies them, and quantises the result. Scales have one element; 1 if absent. */
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
  /** Dequantises bytes, applies sigmoid, and quantises the result. Scales have one element; 1 if absent. */
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
   * Quantises `input` to uint8 by its range, which includes 0. Three outputs: the bytes, the scale and the zero point;
   * the last two are scalars.
   */
  dynamicQuantize: { readonly operands: { readonly input: Value }; readonly attributes: object };
}

/** The factors of a matrix product of unsigned bytes with exact sums: `Σ (a - aZeroPoint) · (b - bZeroPoint)`. */
type IntegerFactors = {
  readonly a: Value;
  /** One uint8. */
  readonly aZeroPoint: Value;
  readonly b: Value;
  /** One uint8, or one for each column of b. */
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

/** Each element of the output takes one multiply-add per weight of its channel's filter. */
function convolving(node: CostedNode & { readonly operands: { readonly filter: Value } }): Cost {
  return computing(node, elementsOf(node.outputs) * elementCount(node.operands.filter.shape.slice(1)));
}

/** The costs, counted as for the operators of the standard. */
const COSTS: CostsByName = {
  affineChannels: perOutput(1),
  blockMatmul: (node) => computing(node, elementsOf(node.outputs) * node.attributes.inner),
  dynamicQuantize: perInput(4),
  geluByTanh: perOutput(4),
  integerConv2d: convolving,
  quantizedBinary: perOutput(4),
  quantizedConv2d: convolving,
  quantizedSigmoid: perOutput(1),
  integerMatmul: (node) => computing(node, elementsOf(node.outputs) * node.operands.a.shape.at(-1)!),
  rmsNormalization: perOutput(8),
  scaledIntegerMatmul: (node) => computing(node, elementsOf(node.outputs) * node.operands.a.shape.at(-1)!),
  scaledMatmul: (node) => computing(node, elementsOf(node.outputs) * node.operands.a.shape.at(-1)!),
  scaledSilu: perOutput(3),
};

/** The cost of a node of either table. */
export function costOfNode(node: Node): Cost {
  return node.operator in COSTS ? COSTS[node.operator as FusedName](node as never) : costByRow(node);
}
