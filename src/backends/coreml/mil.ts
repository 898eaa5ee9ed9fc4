/**
 * An ML Program of Core ML as plain data, between the lowering that produces it and the encoder that writes it.
 *
 * @see https://apple.github.io/coremltools/mlmodel/Format/MIL.html
 * @module
 */

import type { Shape } from "../../shape.ts";

/** The element types that values of a program have here, under the names that `cast` knows. */
export type MilType = "fp32" | "fp16" | "int32" | "int8" | "uint8" | "int4" | "uint4" | "bool" | "string";

/** The type of a value: `[]` is a scalar. */
export interface MilTensorType {
  readonly dataType: MilType;
  readonly shape: Shape;
}

/** A value by its name: an input of the program, a constant, or what an operation gives. */
export interface MilValue extends MilTensorType {
  /** Unique; letters, digits and `_`, not starting with a digit. */
  readonly name: string;
}

/** The elements of a constant: bytes, row-major and little-endian (a `bool` has one each), or a string. */
export type MilData = Uint8Array | string;

/** A constant: an operation `const` when it is written. The encoder decides what goes to the file of weights. */
export interface MilConstant extends MilValue {
  readonly data: MilData;
}

/** An operation. Every parameter must be there, also those that coremltools calls optional. */
export interface MilOperation {
  /** The name in MIL: `"conv"`. */
  readonly type: string;
  /** Unique; errors of Core ML carry it. */
  readonly name: string;
  /** Parameters by name; a list is for those that take several values, such as `values` of `concat`. */
  readonly inputs: Readonly<Record<string, MilValue | readonly MilValue[]>>;
  readonly outputs: readonly MilValue[];
  /** The parameters of a `constexpr_` operation, which stand in place. They are not among the program's constants. */
  readonly attributes?: Readonly<Record<string, MilConstant>>;
}

/** A program with one function. Operations stand in an order in which they can run. */
export interface MilProgram {
  /** 8 runs from macOS 14 on (operators of CoreML7); 9 from macOS 15 on (CoreML8: weights of 4 bits, in blocks). */
  readonly specificationVersion: 8 | 9;
  /** Features of the model: `fp32`, `fp16` or `int32`, ranks 1 to 5. */
  readonly inputs: readonly MilValue[];
  readonly constants: readonly MilConstant[];
  readonly operations: readonly MilOperation[];
  /** Features of the model: `fp32`, `fp16` or `int32`, ranks 1 to 5; each is what an operation gives. */
  readonly outputs: readonly MilValue[];
}
