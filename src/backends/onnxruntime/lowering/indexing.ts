/**
 * Lowering of gathering, scattering and positions. ONNX takes negative indices as WebNN does, and fails a run whose indices
 * are out of range, so that they are clamped first. Constant indices are clamped when the session is created.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { indexing as rows } from "../../../ops/indexing.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { greaterOf, lesserOf } from "./order.ts";
import type { Lowering } from "./lowering.ts";

/** Indices into one dimension of the given size, as int32 or int64: ONNX has none of uint32. */
function clampIndices(indices: Value, size: number, onnx: OnnxWriter): Operand {
  const { dataType } = indices;
  const [least, greatest] = [dataType === "uint32" ? 0 : -size, size - 1];
  if (dataType === "int64") {
    return clampInt64(indices, onnx.scalar("int64", least), onnx.scalar("int64", greatest), onnx);
  }
  const clamped = onnx.node("Clip", [indices, onnx.scalar(dataType, least), onnx.scalar(dataType, greatest)]);
  return dataType === "int32" ? clamped : onnx.cast(clamped, "int32");
}

/** Coordinates of the leading dimensions, as the last dimension of the indices lists them; ONNX wants int64. */
function clampCoordinates(indices: Value, input: Value, onnx: OnnxWriter): Operand {
  const sizes = input.shape.slice(0, indices.shape.at(-1)!);
  const coordinates = indices.dataType === "int64" ? indices : onnx.cast(indices, "int64");
  return clampInt64(coordinates, onnx.ints(sizes.map((size) => -size)), onnx.ints(sizes.map((size) => size - 1)), onnx);
}

function clampInt64(indices: Operand, least: Operand, greatest: Operand, onnx: OnnxWriter): Operand {
  return greaterOf("int64", lesserOf("int64", indices, greatest, onnx), least, onnx);
}

const gather: Lowering<"gather"> = ({ operands: { input, indices }, attributes: { axis } }, onnx) =>
  onnx.node("Gather", [input, clampIndices(indices, input.shape[axis]!, onnx)], { axis });

const gatherElements: Lowering<"gatherElements"> = ({ operands: { input, indices }, attributes: { axis } }, onnx) =>
  onnx.node("GatherElements", [input, clampIndices(indices, input.shape[axis]!, onnx)], { axis });

const gatherND: Lowering<"gatherND"> = ({ operands: { input, indices } }, onnx) =>
  onnx.node("GatherND", [input, clampCoordinates(indices, input, onnx)]);

const scatterElements: Lowering<"scatterElements"> = ({ operands, attributes: { axis } }, onnx) => {
  const { input, indices, updates } = operands;
  return onnx.node("ScatterElements", [input, clampIndices(indices, input.shape[axis]!, onnx), updates], { axis });
};

const scatterND: Lowering<"scatterND"> = ({ operands: { input, indices, updates } }, onnx) =>
  onnx.node("ScatterND", [input, clampCoordinates(indices, input, onnx), updates]);

type ArgNode = NodeOf<"argMin" | "argMax">;

/** Positions come out as int64. */
function position(op: string) {
  return ({ operands: { input }, attributes: { axis, keepDimensions, outputDataType } }: ArgNode, onnx: OnnxWriter) => {
    const output = onnx.node(op, [comparable(input, onnx)], { axis, keepdims: Number(keepDimensions) });
    return outputDataType === "int64" ? output : onnx.cast(output, outputDataType);
  };
}

/** Values in the same order, of a type that can be searched: ONNX Runtime has no ArgMin and ArgMax of uint32 and uint64. */
function comparable(input: Value, onnx: OnnxWriter): Operand {
  if (input.dataType === "uint32") return onnx.cast(input, "int64");
  if (input.dataType !== "uint64") return input;
  // With the highest bit flipped, the order of unsigned integers is that of the same bits as signed ones.
  return onnx.cast(onnx.node("BitwiseXor", [input, onnx.scalar("uint64", 1n << 63n)]), "int64");
}

/** The lowerings of gathering, scattering and positions. */
export const indexing = {
  argMax: position("ArgMax"),
  argMin: position("ArgMin"),
  gather,
  gatherElements,
  gatherND,
  scatterElements,
  scatterND,
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
