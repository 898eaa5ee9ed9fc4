/**
 * Handwritten programs that together use everything that the encoder supports. Those in {@linkcode WRONG_PROGRAMS}
 * have one fault each.
 *
 * @module
 */
import type {
  MilConstant,
  MilData,
  MilOperation,
  MilProgram,
  MilType,
  MilValue,
} from "../../src/backends/coreml/mil.ts";
import { elementCount, type Shape } from "../../src/shape.ts";

/** A value of a program. */
export function value(name: string, dataType: MilType, shape: Shape): MilValue {
  return { name, dataType, shape };
}

/** A constant with these elements; 4-bit integers are already packed. */
export function constant(name: string, dataType: MilType, shape: Shape, elements: readonly number[]): MilConstant {
  return { name, dataType, shape, data: bytesOf(dataType, elements) };
}

/** A 0-D string. */
export function text(name: string, data: string): MilConstant {
  return { name, dataType: "string", shape: [], data };
}

/** A constant with the elements 1, 2, ..., 100, 1, ... */
export function counting(name: string, dataType: MilType, shape: Shape): MilConstant {
  return constant(name, dataType, shape, Array.from({ length: elementCount(shape) }, (_, i) => i % 100 + 1));
}

function bytesOf(dataType: MilType, elements: readonly number[]): MilData {
  if (dataType === "fp32") return new Uint8Array(Float32Array.from(elements).buffer);
  if (dataType === "fp16") return new Uint8Array(Float16Array.from(elements).buffer);
  if (dataType === "int32") return new Uint8Array(Int32Array.from(elements).buffer);
  return Uint8Array.from(elements);
}

/** An operation with one output, named after it. */
export function operation(
  type: string,
  inputs: MilOperation["inputs"],
  output: MilValue,
  attributes?: MilOperation["attributes"],
): MilOperation {
  return { type, name: `${output.name}_op`, inputs, outputs: [output], ...(attributes && { attributes }) };
}

/** A program of `operations`, with the constants that they use. */
export function program(
  inputs: readonly MilValue[],
  operations: readonly MilOperation[],
  outputs: readonly MilValue[],
  specificationVersion: 8 | 9 = 8,
): MilProgram {
  const used = operations.flatMap((operation) => Object.values(operation.inputs).flat());
  const constants = used.filter((value): value is MilConstant => "data" in value);
  return { specificationVersion, inputs, constants: [...new Set(constants)], operations, outputs };
}

const x = value("x", "fp32", [1, 3, 4, 4]);
const y = value("y", "fp32", [1, 3, 4, 4]);

function convolution(): MilProgram {
  const output = value("conv", "fp32", [1, 2, 3, 2]);
  const parameters = {
    x,
    weight: counting("weight", "fp32", [2, 3, 2, 3]),
    bias: constant("bias", "fp32", [2], [-0, NaN]),
    strides: constant("strides", "int32", [2], [1, 1]),
    pad_type: text("pad_type", "custom"),
    pad: constant("pad", "int32", [4], [0, 0, 0, 0]),
    dilations: constant("dilations", "int32", [2], [1, 1]),
    groups: constant("groups", "int32", [], [1]),
  };
  return program([x], [operation("conv", parameters, output)], [output]);
}

/** 0-D values, bool and int8 between operations, a parameter with several values, several results. */
function variety(): MilProgram {
  const scalar = value("scalar", "fp32", []);
  const isLess = value("is_less", "bool", [1, 3, 4, 4]);
  const narrow = value("narrow", "int8", [1, 3, 4, 4]);
  const wide = value("wide", "fp32", [1, 3, 4, 4]);
  const joined = value("joined", "fp32", [1, 9, 4, 4]);
  const parts = [value("first", "fp32", [1, 4, 4, 4]), value("second", "fp32", [1, 5, 4, 4])];
  const axes = constant("axes", "int32", [4], [0, 1, 2, -1]);
  const no = constant("no", "bool", [], [0]);
  const axis = constant("axis", "int32", [], [-3]);
  return program([x, y], [
    operation("reduce_sum", { x, axes, keep_dims: no }, scalar),
    operation("less", { x, y: scalar }, isLess),
    operation("cast", { x: isLess, dtype: text("int8", "int8") }, narrow),
    operation("cast", { x: narrow, dtype: text("fp32", "fp32") }, wide),
    operation("concat", { values: [x, y, wide], axis, interleave: no }, joined),
    {
      type: "split",
      name: "split_op",
      inputs: { x: joined, split_sizes: constant("sizes", "int32", [2], [4, 5]), axis },
      outputs: parts,
    },
  ], parts);
}

/** Constants of every type, above and below the size limit for the file of weights. */
function constants(): MilProgram {
  const results: MilValue[] = [];
  const operations: MilOperation[] = [];
  const add = (x: MilConstant, to: MilType) => {
    const result = value(`result_${x.name}`, to, x.shape);
    results.push(result);
    const type = x.dataType === to ? "identity" : "cast";
    const dtype = { dtype: text(`dtype_${x.name}`, to) };
    operations.push(operation(type, { x, ...(type === "cast" && dtype) }, result));
  };
  for (const [dataType, to] of [["fp32", "fp32"], ["fp16", "fp16"], ["int32", "int32"], ["int8", "int32"]] as const) {
    add(counting(`${dataType}_small`, dataType, [3, 3]), to);
    add(counting(`${dataType}_large`, dataType, [2, 5]), to);
  }
  add(counting("uint8_large", "uint8", [70]), "int32");
  add(constant("int8_negative", "int8", [2], [-128, 127]), "int32");
  add(constant("int32_extremes", "int32", [3], [-(2 ** 31), 2 ** 31 - 1, -1]), "int32");
  add(constant("fp32_extremes", "fp32", [4], [-0, Infinity, NaN, 1e-45]), "fp32");
  add(constant("bools", "bool", [12], [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]), "int32");
  const copy = value("copy", "fp32", [1, 3, 4, 4]);
  operations.push(operation("identity", { x }, copy));
  return program([x], operations, [...results, copy]);
}

/** Inline values as attributes of the operation. */
function affineDequantize(): MilProgram {
  const weight = value("weight", "fp32", [3, 4]);
  const sum = value("sum", "fp32", [3, 4]);
  const rows = value("rows", "fp32", [3, 4]);
  return program([rows], [
    operation("constexpr_affine_dequantize", {}, weight, {
      quantized_data: counting("weight_op_quantized_data", "int8", [3, 4]),
      zero_point: constant("weight_op_zero_point", "int8", [3], [0, -1, 2]),
      scale: constant("weight_op_scale", "fp32", [3], [1, 0.5, 0.25]),
      axis: constant("weight_op_axis", "int32", [], [0]),
    }),
    operation("add", { x: rows, y: weight }, sum),
  ], [sum]);
}

/** Inline values as arguments of the operation, with 4-bit integers. */
function blockwiseDequantize(): MilProgram {
  const weight = value("weight", "fp32", [3, 6]);
  const odd = value("odd", "fp32", [1, 3]);
  const sum = value("sum", "fp32", [3, 6]);
  const rows = value("rows", "fp32", [3, 6]);
  const copy = value("copy", "fp32", [1, 3]);
  return program(
    [rows],
    [
      operation("constexpr_blockwise_shift_scale", {}, weight, {
        data: constant("weight_op_data", "uint4", [3, 6], [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe, 0xf0]),
        scale: constant("weight_op_scale", "fp32", [3, 2], [1, 2, 3, 4, 5, 6]),
        offset: constant("weight_op_offset", "uint4", [3, 2], [0x21, 0x43, 0x65]),
      }),
      operation("constexpr_blockwise_shift_scale", {}, odd, {
        data: constant("odd_op_data", "int4", [1, 3], [0x98, 0x07]),
        scale: constant("odd_op_scale", "fp32", [1, 1], [0.5]),
      }),
      operation("add", { x: rows, y: weight }, sum),
      operation("identity", { x: counting("indices", "int32", [12]) }, value("indices_copy", "int32", [12])),
      operation("add", { x: odd, y: constant("one", "fp32", [], [1]) }, copy),
    ],
    [sum, copy],
    9,
  );
}

/** 4-bit integers in the file of weights; half of the last byte is unused. */
function oddNibbles(): MilProgram {
  const weight = value("weight", "fp16", [1, 11]);
  const input = value("input", "fp16", [1, 11]);
  const sum = value("sum", "fp16", [1, 11]);
  return program(
    [input],
    [
      operation("constexpr_blockwise_shift_scale", {}, weight, {
        data: constant("weight_op_data", "int4", [1, 11], [0x98, 0x07, 0x11, 0x22, 0x33, 0x04]),
        scale: constant("weight_op_scale", "fp16", [1, 1], [0.5]),
      }),
      operation("add", { x: input, y: weight }, sum),
    ],
    [sum],
    9,
  );
}

/** Correct programs. */
export const PROGRAMS: Readonly<Record<string, MilProgram>> = {
  convolution: convolution(),
  variety: variety(),
  constants: constants(),
  affineDequantize: affineDequantize(),
  blockwiseDequantize: blockwiseDequantize(),
  oddNibbles: oddNibbles(),
};

/** A program with one fault. */
export interface WrongProgram {
  readonly program: MilProgram;
  /** Part of the lint's message. */
  readonly message: string;
  /** Whether coremltools finds it too when it loads the program. */
  readonly coremltools: boolean;
}

const sum = value("sum", "fp32", [1, 3, 4, 4]);

/** `sum = add(x, y)`, with changes to the operation. */
function addition(change: Partial<MilOperation>, inputs: readonly MilValue[] = [x, y]): MilProgram {
  return program(inputs, [{ ...operation("add", { x, y }, sum), ...change }], [sum]);
}

function wrongRank(): MilProgram {
  const high = value("high", "fp32", [1, 1, 1, 3, 4, 4]);
  const shape = constant("shape", "int32", [6], [1, 1, 1, 3, 4, 4]);
  const back = constant("back", "int32", [4], [1, 3, 4, 4]);
  return program([x], [
    operation("reshape", { x, shape }, high),
    operation("reshape", { x: high, shape: back }, sum),
  ], [sum]);
}

function wrongOrder(): MilProgram {
  const middle = value("middle", "fp32", [1, 3, 4, 4]);
  return program([x], [operation("relu", { x: middle }, sum), operation("abs", { x }, middle)], [sum]);
}

function wrongPerm(): MilProgram {
  const perm = value("perm", "int32", [4]);
  return program([x, perm], [operation("transpose", { x, perm }, sum)], [sum]);
}

function newerOperation(): MilProgram {
  const { operations, ...others } = oddNibbles();
  return { ...others, operations, specificationVersion: 8 };
}

/** Programs with one fault each. */
export const WRONG_PROGRAMS: Readonly<Record<string, WrongProgram>> = {
  "unknown operation": wrong(addition({ type: "plus" }), "there is no such operation"),
  "missing parameter": wrong(addition({ inputs: { x } }), "y is missing"),
  "missing parameter with a default in Python": wrong(
    program([x], [operation("log", { x }, sum)], [sum]),
    "epsilon is missing",
  ),
  "unknown parameter": wrong(addition({ inputs: { x, y, z: y } }), "there is no parameter z"),
  "mixed types": wrong(
    addition({ inputs: { x, y: value("y", "fp16", y.shape) } }, [x, value("y", "fp16", y.shape)]),
    "y is fp16, but x is fp32",
  ),
  "type outside of the domain": wrong(
    addition({ type: "relu", inputs: { x: value("n", "int32", [2]) }, outputs: [value("sum", "int32", [2])] }, [
      value("n", "int32", [2]),
    ]),
    "x cannot be int32",
    { outputs: [value("sum", "int32", [2])] },
  ),
  "wrong shape of a result": wrong(
    addition({ outputs: [value("sum", "fp32", [1, 3, 4, 5])] }),
    "its results are fp32[1,3,4,4], not fp32[1,3,4,5]",
    { outputs: [value("sum", "fp32", [1, 3, 4, 5])] },
  ),
  "wrong type of a result": wrong(
    addition({ outputs: [value("sum", "fp16", [1, 3, 4, 4])] }),
    "its results are fp32[1,3,4,4], not fp16[1,3,4,4]",
    { outputs: [value("sum", "fp16", [1, 3, 4, 4])] },
  ),
  "shapes that do not broadcast": wrong(
    addition({ inputs: { x, y: value("w", "fp32", [1, 2, 4, 4]) } }, [x, value("w", "fp32", [1, 2, 4, 4])]),
    "x and y do not broadcast",
  ),
  "operation newer than the opset": wrong(newerOperation(), "the operation needs CoreML8"),
  "rank 6": wrong(wrongRank(), "has rank 6"),
  "parameter that is no constant": wrong(wrongPerm(), "perm must be a constant"),
  "value used before it is computed": wrong(wrongOrder(), "middle is used before it is defined"),
  "value that nothing defines": wrong(addition({}, [x]), "y is used before it is defined"),
  "output that nothing computes": wrong(program([x], [], [x]), "no operation computes it", {}, false),
  "name with a space": wrong(addition({ name: "a sum" }), "a name must consist of letters", {}, false),
  "name used twice": wrong(
    program([x], [operation("abs", { x }, y), { ...operation("abs", { x: y }, sum), name: "y_op" }], [sum]),
    "the name y_op is used twice",
    {},
    false,
  ),
  "bool as an output": wrong(
    addition({ type: "less", outputs: [value("sum", "bool", [1, 3, 4, 4])] }),
    "a feature cannot be bool",
    { outputs: [value("sum", "bool", [1, 3, 4, 4])] },
  ),
  "0-D output": wrong(
    program([x], [operation("reduce_sum", {
      x,
      axes: constant("axes", "int32", [4], [0, 1, 2, 3]),
      keep_dims: constant("no", "bool", [], [0]),
    }, value("sum", "fp32", []))], [value("sum", "fp32", [])]),
    "a feature must have at least one dimension",
  ),
};

function wrong(
  program: MilProgram,
  message: string,
  change: Partial<MilProgram> = {},
  coremltools = true,
): WrongProgram {
  return { program: { ...program, ...change }, message, coremltools };
}
