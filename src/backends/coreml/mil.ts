/**
 * An ML Program as plain data: the lowering produces it, the encoder writes it.
 *
 * @see https://apple.github.io/coremltools/mlmodel/Format/MIL.html
 * @module
 */

import type { Shape } from "../../shape.ts";

/** The element types that are used here, by their names in `cast`. */
export type MilType = "fp32" | "fp16" | "int32" | "int8" | "uint8" | "int4" | "uint4" | "bool" | "string";

/** The type of a value. `[]` is a scalar. */
export interface MilTensorType {
  readonly dataType: MilType;
  readonly shape: Shape;
}

/** A named value: an input of the program, a constant, or an output of an operation. */
export interface MilValue extends MilTensorType {
  /** Unique; letters, digits and `_`, not starting with a digit. */
  readonly name: string;
}

/** The elements of a constant: bytes, row-major and little-endian (a `bool` has one each), or a string. */
export type MilData = Uint8Array | string;

/** A constant, written as a `const` operation. The encoder decides which go to the file of weights. */
export interface MilConstant extends MilValue {
  readonly data: MilData;
}

/** An operation. Every parameter must be present, even those that are optional in coremltools. */
export interface MilOperation {
  /** The MIL operator: `"conv"`. */
  readonly type: string;
  /** Unique. Core ML's errors quote it. */
  readonly name: string;
  /** Parameters by name. A list is for parameters that take several values, such as `values` of `concat`. */
  readonly inputs: Readonly<Record<string, MilValue | readonly MilValue[]>>;
  readonly outputs: readonly MilValue[];
  /** The inline parameters of a `constexpr_` operation. They are not among the program's constants. */
  readonly attributes?: Readonly<Record<string, MilConstant>>;
}

/** A program with one function. Operations are in topological order. */
export interface MilProgram {
  /** 8 needs macOS 14 (operators of CoreML7); 9 needs macOS 15 (CoreML8: 4-bit weights and blocks). */
  readonly specificationVersion: 8 | 9;
  /** Features of the model: `fp32`, `fp16` or `int32`, ranks 1 to 5. */
  readonly inputs: readonly MilValue[];
  readonly constants: readonly MilConstant[];
  readonly operations: readonly MilOperation[];
  /** Features of the model: `fp32`, `fp16` or `int32`, ranks 1 to 5; each is the output of an operation. */
  readonly outputs: readonly MilValue[];
}
