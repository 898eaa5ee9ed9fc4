/**
 * Data types for which ONNX Runtime's CPU provider has no kernel of an operator that moves or adds elements: they
 * travel as another integer type. Casts there and back keep every bit, and sums wrap alike.
 *
 * @module
 */

import type { MLOperandDataType } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { OnnxWriter, Operand } from "../writer.ts";

type Carriers = Partial<Record<MLOperandDataType, MLOperandDataType>>;

/** The carriers of the types without kernel. */
const CARRIERS = {
  CumSum: { uint32: "int32", uint64: "int64" },
  Trilu: { int8: "int64", uint8: "int64", uint32: "int64", uint64: "int64" },
  Where: { int8: "int32", uint32: "int32", uint64: "int64" },
} satisfies Record<string, Carriers>;

/** Applies the operator to inputs of one data type, in a type that it has a kernel for. */
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
