/** Validation and results of quantisation, also with 4-bit integers. */

import { assertEquals, assertThrows } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { decode, type Element, encode, type RefDataType, tensor } from "../reference/mod.ts";
import { assertAgrees } from "../support/agreement.ts";
import { newBuilder, sharedContext } from "../support/builder.ts";
import { type Domain, operandValues, POSITIVE } from "../support/operand_values.ts";
import { runGraph, runOperator } from "../support/run_operator.ts";
import { testValidation } from "../support/validation.ts";

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
const INTEGERS: readonly MLOperandDataType[] = ["uint8", "int8", "uint32", "int32"];
const FOUR_BITS: readonly MLOperandDataType[] = ["int4", "uint4"];

const shapes = { input: [4, 6], scale: [2, 3], zeroPoint: [2, 3] };
/** Invalid shapes for both operators, with the data types of the first valid call. */
const wrongShapes = [
  { shapes: { ...shapes, scale: [3], zeroPoint: [3] }, message: "scale must have rank 2 like input, not 1" },
  { shapes: { ...shapes, zeroPoint: [3] }, message: "zeroPoint must have rank 2 like input, not 1" },
  { shapes: { ...shapes, zeroPoint: [2, 1] }, message: "zeroPoint must have the shape [2, 3], not [2, 1]" },
  { shapes: { ...shapes, scale: [3, 3], zeroPoint: [3, 3] }, message: "must be divisible by that of scale [3, 3]" },
  { shapes: { ...shapes, scale: [8, 6], zeroPoint: [8, 6] }, message: "must be divisible by that of scale [8, 6]" },
];
const blocks = [[4, 6], [1, 1], [1, 6], [4, 1], [4, 2], [2, 3]];

testValidation("dequantizeLinear", {
  types: { input: INTEGERS, scale: FLOATS },
  valid: [
    { shapes, outputs: [[4, 6]], outputTypeOf: "scale" },
    ...blocks.map((block) => ({
      shapes: { ...shapes, scale: block, zeroPoint: block },
      outputs: [[4, 6]],
      outputTypeOf: "scale",
    })),
    { shapes: { input: [], scale: [], zeroPoint: [] }, outputs: [[]], outputTypeOf: "scale" },
    ...FOUR_BITS.map((type) => ({ shapes, types: { input: type }, outputs: [[4, 6]], outputTypeOf: "scale" })),
  ],
  invalid: [
    ...wrongShapes,
    { shapes, types: { zeroPoint: "int8" }, message: "zeroPoint must be uint8 like input, not int8" },
    { shapes, types: { input: "int4", zeroPoint: "uint4" }, message: "zeroPoint must be int4 like input, not uint4" },
  ],
});

testValidation("quantizeLinear", {
  types: { input: FLOATS, zeroPoint: INTEGERS },
  valid: [
    { shapes, outputs: [[4, 6]], outputTypeOf: "zeroPoint" },
    ...blocks.map((block) => ({
      shapes: { ...shapes, scale: block, zeroPoint: block },
      outputs: [[4, 6]],
      outputTypeOf: "zeroPoint",
    })),
    { shapes: { input: [], scale: [], zeroPoint: [] }, outputs: [[]], outputTypeOf: "zeroPoint" },
    ...FOUR_BITS.map((type) => ({ shapes, types: { zeroPoint: type }, outputs: [[4, 6]], outputTypeOf: "zeroPoint" })),
  ],
  invalid: [
    ...wrongShapes,
    { shapes, types: { scale: "float16" }, message: "scale must be float32 like input, not float16" },
  ],
});

const SHAPE = [4, 6, 2];
const BLOCKS = [[1, 1, 1], [4, 1, 1], [1, 6, 1], [4, 3, 2], [4, 6, 1], [1, 3, 1], [2, 3, 1], [4, 6, 2], [2, 2, 2]];
/** Scale and zero point as constants, which the engine fuses, and as inputs, which it does not. */
const CONSTANTS = [["scale", "zeroPoint"], []];
const WHOLE: Domain = { float: [-60, 60] };
const NEAR_ZERO: Domain = { float: [0, 0], integer: [-5, 5] };

Deno.test("dequantizeLinear agrees with the reference for all block shapes, with constant and computed parameters", async () => {
  for (const dataType of [...INTEGERS, ...FOUR_BITS]) {
    for (const scaleType of FLOATS) {
      for (const block of BLOCKS) {
        const operands = {
          input: operandValues(
            dataType,
            SHAPE,
            bitsOf(dataType) === 32 ? { float: [0, 0], integer: [-1e4, 1e4] } : WHOLE,
            1,
          ),
          scale: operandValues(scaleType, block, POSITIVE, 2),
          zeroPoint: operandValues(dataType, block, NEAR_ZERO, 3),
        };
        for (const constants of CONSTANTS) await assertAgrees("dequantizeLinear", operands, {}, constants);
      }
    }
  }
});

Deno.test("quantizeLinear agrees with the reference for all block shapes, with constant and computed parameters", async () => {
  for (const dataType of [...INTEGERS, ...FOUR_BITS]) {
    for (const inputType of FLOATS) {
      for (const block of BLOCKS) {
        const operands = {
          input: operandValues(inputType, SHAPE, WHOLE, 1),
          scale: operandValues(inputType, block, POSITIVE, 2),
          zeroPoint: operandValues(dataType, block, NEAR_ZERO, 3),
        };
        for (const constants of CONSTANTS) await assertAgrees("quantizeLinear", operands, {}, constants);
      }
    }
  }
});

function bitsOf(dataType: MLOperandDataType): number {
  return Number(dataType.replace(/^\D+/, ""));
}

/** Runs an operator on a list with a single scale and zero point, both constant and not. */
async function run(
  name: "dequantizeLinear" | "quantizeLinear",
  [inputType, elements]: [RefDataType, readonly Element[]],
  [scaleType, scale]: [RefDataType, number],
  [zeroPointType, zeroPoint]: [RefDataType, number],
): Promise<readonly Element[]> {
  const operands = {
    input: tensor(inputType, [elements.length], elements),
    scale: tensor(scaleType, [1], [scale]),
    zeroPoint: tensor(zeroPointType, [1], [zeroPoint]),
  };
  const results = await Promise.all(CONSTANTS.map(async (constants) => {
    const [output] = await runOperator(await sharedContext(), name, operands, {}, constants);
    return output!.data;
  }));
  assertEquals(results[0], results[1]);
  return results[0]!;
}

Deno.test("quantizeLinear rounds ties to even and clamps to the range of each type", async () => {
  const input = [0.5, 1.5, 2.5, -0.5, -1.5, 1e30, -1e30];
  const expected: Partial<Record<MLOperandDataType, number[]>> = {
    int8: [0, 2, 2, 0, -2, 127, -128],
    uint8: [0, 2, 2, 0, 0, 255, 0],
    int32: [0, 2, 2, 0, -2, 2 ** 31 - 1, -(2 ** 31)],
    uint32: [0, 2, 2, 0, 0, 2 ** 32 - 1, 0],
    int4: [0, 2, 2, 0, -2, 7, -8],
    uint4: [0, 2, 2, 0, 0, 15, 0],
  };
  for (const [type, values] of Object.entries(expected) as [MLOperandDataType, number[]][]) {
    const output = await run("quantizeLinear", ["float32", input], ["float32", 1], [type, 0]);
    assertEquals(output.map((value) => value === 0 ? 0 : value), values, type);
  }
});

Deno.test("quantizeLinear of float16 does not round the quotient to float16", async () => {
  // The scale is 0.333251953125 and the quotient 3000.73; the nearest float16 numbers are 3000 and 3002.
  assertEquals(await run("quantizeLinear", ["float16", [1000]], ["float16", 1 / 3], ["int32", 0]), [3001]);
});

Deno.test("32-bit integers are dequantised without overflow or loss", async () => {
  const least = -(2 ** 31), greatest = 2 ** 31 - 1;
  assertEquals(await run("dequantizeLinear", ["int32", [greatest, least]], ["float32", 1], ["int32", least]), [
    Math.fround(2 ** 32 - 1),
    0,
  ]);
  assertEquals(await run("dequantizeLinear", ["uint32", [0, 2 ** 32 - 1]], ["float32", 0.5], ["uint32", 2 ** 32 - 1]), [
    Math.fround(-(2 ** 31) + 0.5),
    0,
  ]);
  // The difference is exact although neither integer is a float32.
  assertEquals(await run("dequantizeLinear", ["int32", [16777219]], ["float32", 1], ["int32", 16777216]), [3]);
});

Deno.test("4-bit integers are packed two per byte, the first in the low half", async () => {
  const context = await sharedContext();
  const tensor = await context.createTensor({ dataType: "int4", shape: [3], readable: true, writable: true });
  context.writeTensor(tensor, Uint8Array.of(0x2f, 0x03));
  assertEquals(decode("int4", 3, await context.readTensor(tensor)), [-1, 2, 3]);
  tensor.destroy();
  const builder = await newBuilder();
  const input = builder.constant({ dataType: "int4", shape: [3] }, encode("int4", [-8, 7, -1]));
  const parameter = (dataType: "float32" | "int4", value: number) =>
    builder.constant({ dataType, shape: [1] }, encode(dataType, [value]));
  const output = builder.dequantizeLinear(input, parameter("float32", 0.5), parameter("int4", 1));
  const [result] = await runGraph(context, builder, {}, [output]);
  assertEquals(result!.data, [-4.5, 3, -1]);
});

Deno.test("4-bit integers are supported only by quantisation operators", async () => {
  const context = await sharedContext();
  const limits = context.opSupportLimits();
  for (const type of FOUR_BITS) {
    assertEquals([limits.input, limits.constant, limits.output].map(({ dataTypes }) => dataTypes.includes(type)), [
      true,
      true,
      true,
    ]);
    assertEquals(limits.dequantizeLinear.input.dataTypes.includes(type), true);
    assertEquals(limits.quantizeLinear.output.dataTypes.includes(type), true);
    assertEquals(limits.add.a.dataTypes.includes(type), false);
    const builder = await newBuilder();
    const input = builder.input("x", { dataType: type, shape: [2] });
    assertThrows(() => builder.identity(input), TypeError, "input must be");
    assertThrows(() => builder.cast(builder.input("y", { dataType: "int8", shape: [2] }), type), TypeError, type);
    assertThrows(() => builder.constant(type, 1), TypeError, type);
  }
});

Deno.test("quantised pools give the rounded float results in both layouts", async () => {
  const context = await sharedContext();
  for (const dataType of ["int8", "uint8"] as const) {
    for (const layout of ["nchw", "nhwc"] as const) {
      for (const isConstant of [true, false]) {
        const builder = await newBuilder();
        const inputs: Record<string, ReturnType<typeof tensor>> = {};
        const parameter = (name: string, type: RefDataType, value: number) => {
          const descriptor = { dataType: type as MLOperandDataType, shape: [1, 1, 1, 1] };
          if (isConstant) return builder.constant(descriptor, encode(type, [value]));
          inputs[name] = tensor(type, [1, 1, 1, 1], [value]);
          return builder.input(name, descriptor);
        };
        const scale = parameter("scale", "float32", 1);
        const zeroPoint = parameter("zeroPoint", dataType, 3);
        const x = builder.input("x", { dataType, shape: [1, 2, 2, 1] });
        inputs.x = tensor(dataType, [1, 2, 2, 1], [7, 11, 9, 23]);
        const pooled = builder.averagePool2d(builder.dequantizeLinear(x, scale, zeroPoint), {
          layout,
          windowDimensions: [2, 1],
        });
        const output = builder.quantizeLinear(pooled, scale, zeroPoint);
        const [result] = await runGraph(context, builder, inputs, [output]);
        // nhwc: columns of a 2 × 2 image; nchw: two channels of 2 × 1.
        assertEquals(result!.data, layout === "nhwc" ? [8, 17] : [9, 16], `${dataType} ${layout} ${isConstant}`);
      }
    }
  }
});
