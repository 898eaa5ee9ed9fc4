/**
 * Some operators that move or add elements have no CPU kernel for some integer types. Those are cast to another integer
 * type and back, which keeps every bit; sums wrap the same way.
 *
 * @module
 */

import type { MLOperandDataType } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { OnnxWriter, Operand } from "../writer.ts";

type Carriers = Partial<Record<MLOperandDataType, MLOperandDataType>>;

/** The types to use instead. */
const CARRIERS = {
  CumSum: { uint32: "int32", uint64: "int64" },
  Trilu: { int8: "int64", uint8: "int64", uint32: "int64", uint64: "int64" },
  Where: { int8: "int32", uint32: "int32", uint64: "int64" },
} satisfies Record<string, Carriers>;

/** Applies an operator to inputs of one data type, in a type that has a kernel. */
export function carried(
  op: keyof typeof CARRIERS,
  inputs: readonly [Value, ...Value[]],
  apply: (inputs: readonly Operand[]) => Operand,
  onnx: OnnxWriter,
): Operand {
  const [{ dataType }] = inputs;
  const carrier = (CARRIERS[op] as Carriers)[dataType];
  return carrier === undefined
    ? apply(inputs)
    : onnx.cast(apply(inputs.map((input) => onnx.cast(input, carrier))), dataType);
}
