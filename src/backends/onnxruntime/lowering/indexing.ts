/**
 * Lowering of gather, scatter, argMin and argMax. ONNX supports negative indices, but a run fails if an index is out of
 * range, so indices are clamped first. Constant indices are clamped when the session is created.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { indexing as rows } from "../../../ops/indexing.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import { elementCount, type Shape } from "../../../shape.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { hasFlaw } from "./kernels.ts";
import { greaterOf, lesserOf } from "./order.ts";
import type { Lowering } from "./lowering.ts";

/** Indices into a dimension of the given size, as int32 or int64, because ONNX has no uint32 indices. */
function clampIndices(indices: Value, size: number, onnx: OnnxWriter): Operand {
  const { dataType } = indices;
  const [min, max] = [dataType === "uint32" ? 0 : -size, size - 1];
  if (dataType === "int64") {
    return clampInt64(indices, onnx.scalar("int64", min), onnx.scalar("int64", max), onnx);
  }
  const clamped = onnx.node("Clip", [indices, onnx.scalar(dataType, min), onnx.scalar(dataType, max)]);
  return dataType === "int32" ? clamped : onnx.cast(clamped, "int32");
}

/** Coordinates into the leading dimensions: one per index of the last dimension. ONNX requires int64. */
function clampCoordinates(indices: Value, input: Value, onnx: OnnxWriter): Operand {
  const sizes = input.shape.slice(0, indices.shape.at(-1)!);
  const coordinates = indices.dataType === "int64" ? indices : onnx.cast(indices, "int64");
  return clampInt64(coordinates, onnx.ints(sizes.map((size) => -size)), onnx.ints(sizes.map((size) => size - 1)), onnx);
}

function clampInt64(indices: Operand, min: Operand, max: Operand, onnx: OnnxWriter): Operand {
  return greaterOf("int64", lesserOf("int64", indices, max, onnx), min, onnx);
}

const gather: Lowering<"gather"> = ({ operands: { input, indices }, attributes: { axis } }, onnx) => {
  const gathered = onnx.node("Gather", [input, clampIndices(indices, input.shape[axis]!, onnx)], { axis });
  const isNarrow = input.dataType === "float16" && onnx.isConstant(input) && hasFlaw("widenedTables", onnx);
  return isNarrow ? onnx.cast(onnx.cast(gathered, "float32"), "float16") : gathered;
};

const gatherElements: Lowering<"gatherElements"> = ({ operands: { input, indices }, attributes: { axis } }, onnx) =>
  onnx.node("GatherElements", [input, clampIndices(indices, input.shape[axis]!, onnx)], { axis });

const gatherND: Lowering<"gatherND"> = ({ operands: { input, indices } }, onnx) =>
  onnx.node("GatherND", [input, clampCoordinates(indices, input, onnx)]);

const scatterElements: Lowering<"scatterElements"> = ({ operands, attributes: { axis } }, onnx) => {
  const { input, indices, updates } = operands;
  return onnx.node("ScatterElements", [input, clampIndices(indices, input.shape[axis]!, onnx), updates], { axis });
};

/** If several updates have the same index, always keeps the last one. */
const scatterND: Lowering<"scatterND"> = ({ operands: { input, indices, updates } }, onnx) => {
  const coordinates = clampCoordinates(indices, input, onnx);
  const parts = partsOf(input, indices);
  if (parts.count === 1 || !hasFlaw("unorderedScatter", onnx)) {
    return onnx.node("ScatterND", [input, coordinates, updates]);
  }
  const flatIndices = flatIndicesOf(coordinates, parts, onnx);
  if (parts.width === 1) {
    const flat = (operand: Value, size: number) => onnx.reshape(operand, [size]);
    const operands = [flat(input, parts.total), flatIndices, flat(updates, parts.count)];
    return onnx.reshape(onnx.node("ScatterElements", operands, { axis: 0 }), input.shape);
  }
  // All updates with the same index become the last one, so their order does not matter.
  const ascending = Array.from({ length: parts.count }, (_, i) => i);
  const zeros = onnx.constant("int64", [parts.total], [0]);
  const last = onnx.node("ScatterElements", [zeros, flatIndices, onnx.ints(ascending)], { axis: 0 });
  const sources = onnx.node("Gather", [last, flatIndices], { axis: 0 });
  const rows = onnx.node("Gather", [onnx.reshape(updates, [parts.count, parts.width]), sources], { axis: 0 });
  return onnx.node("ScatterND", [input, coordinates, onnx.reshape(rows, updates.shape)]);
};

/** The parts of the input that updates replace. */
interface Parts {
  /** The number of updates. */
  readonly count: number;
  /** The number of elements of a part. */
  readonly width: number;
  /** The number of parts of the input. */
  readonly total: number;
  /** The dimensions that coordinates index. */
  readonly sizes: Shape;
}

function partsOf(input: Value, indices: Value): Parts {
  const depth = indices.shape.at(-1)!;
  const sizes = input.shape.slice(0, depth);
  return {
    count: elementCount(indices.shape.slice(0, -1)),
    width: elementCount(input.shape.slice(depth)),
    total: elementCount(sizes),
    sizes,
  };
}

/** The flat indices of coordinates, which may be negative: int64 `[count]`. */
function flatIndicesOf(coordinates: Operand, { count, sizes }: Parts, onnx: OnnxWriter): Operand {
  const strides = sizes.map((_, axis) => elementCount(sizes.slice(axis + 1)));
  const rows = onnx.reshape(coordinates, [count, sizes.length]);
  const fromEnd = onnx.cast(onnx.node("Less", [rows, onnx.scalar("int64", 0)]), "int64");
  const fromStart = onnx.node("Add", [rows, onnx.node("Mul", [fromEnd, onnx.ints(sizes)])]);
  const steps = onnx.node("Mul", [fromStart, onnx.ints(strides)]);
  return onnx.node("ReduceSum", [steps, onnx.ints([1])], { keepdims: 0 });
}

type ArgNode = NodeOf<"argMin" | "argMax">;

/** argMin or argMax; the results are int64. */
function argMinMax(op: string) {
  return (node: ArgNode, onnx: OnnxWriter) => {
    const { operands: { input }, attributes: { axis, keepDimensions, outputDataType }, outputs: [output] } = node;
    const isReshaped = output!.shape.length === 0 && hasFlaw("lostScalars", onnx);
    const keepdims = Number(keepDimensions || isReshaped);
    const found = onnx.node(op, [comparable(input, onnx)], { axis, keepdims });
    const shaped = isReshaped ? onnx.reshape(found, []) : found;
    return outputDataType === "int64" ? shaped : onnx.cast(shaped, outputDataType);
  };
}

/**
 * Values with the same order in a type that ONNX Runtime supports: it has no ArgMin and ArgMax for uint32 and uint64.
 */
function comparable(input: Value, onnx: OnnxWriter): Operand {
  if (input.dataType === "uint32") return onnx.cast(input, "int64");
  if (input.dataType !== "uint64") return input;
  // Flipping the highest bit maps the order of unsigned integers to that of signed ones.
  return onnx.cast(onnx.node("BitwiseXor", [input, onnx.scalar("uint64", 1n << 63n)]), "int64");
}

export const indexing = {
  argMax: argMinMax("ArgMax"),
  argMin: argMinMax("ArgMin"),
  gather,
  gatherElements,
  gatherND,
  scatterElements,
  scatterND,
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
