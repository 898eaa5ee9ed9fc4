/**
 * The interpreter of ML Programs: how it reads programs, and what it rejects.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { MilOperation, MilProgram, MilValue } from "../../src/backends/coreml/mil.ts";
import { type Elements, runProgram } from "./interpreter/mod.ts";
import { constant, ints, scalar, tensor, text } from "./one_operation.ts";

/** A program with one operation on the input `x`, `fp32 [2]`, and on constants. */
function program(operation: Partial<MilOperation>, changes: Partial<MilProgram> = {}): MilProgram {
  const x: MilValue = { name: "x", dataType: "fp32", shape: [2] };
  const y: MilValue = { name: "y", dataType: "fp32", shape: [2] };
  const relu = { type: "relu", name: "first", inputs: { x }, outputs: [y], ...operation };
  return { specificationVersion: 8, inputs: [x], constants: [], operations: [relu], outputs: [y], ...changes };
}

const X: Elements = Float32Array.of(-1, 2);

Deno.test("runProgram takes bytes and typed arrays, and returns outputs by name", () => {
  assertEquals(runProgram(program({}), { x: X }), { y: tensor("fp32", [2], [0, 2]) });
  const unaligned = new Uint8Array(9).subarray(1);
  unaligned.set(new Uint8Array(X.buffer));
  assertEquals(runProgram(program({}), { x: unaligned }).y!.data, Float32Array.of(0, 2));
});

Deno.test("runProgram chains operations, and accepts results of constexpr operations as constants", () => {
  const x: MilValue = { name: "x", dataType: "fp32", shape: [1, 1, 1, 2] };
  const attributes = {
    quantized_data: constant("data", tensor("int8", [1, 1, 1, 2], [1, 2])),
    zero_point: constant("zero_point", scalar("int8", 0)),
    scale: constant("scale", scalar("fp32", 0.5)),
    axis: constant("axis", scalar("int32", 0)),
  };
  const weight: MilValue = { name: "weight", dataType: "fp32", shape: [1, 1, 1, 2] };
  const product: MilValue = { name: "product", dataType: "fp32", shape: [1, 1, 1, 2] };
  const inputs = {
    x,
    weight,
    strides: constant("strides", ints(1, 1)),
    dilations: constant("dilations", ints(1, 2)),
    pad: constant("pad", ints(0, 0, 0, 2)),
    pad_type: text("pad_type", "custom"),
    groups: constant("groups", scalar("int32", 1)),
  };
  const run = (operations: MilOperation[]) =>
    runProgram({
      specificationVersion: 8,
      inputs: [x],
      constants: [inputs.strides, inputs.dilations, inputs.pad, inputs.pad_type, inputs.groups],
      operations,
      outputs: [product],
    }, { x: Float32Array.of(3, 5) });
  const dequantize: MilOperation = {
    type: "constexpr_affine_dequantize",
    name: "dequantize",
    inputs: {},
    outputs: [weight],
    attributes,
  };
  const conv: MilOperation = { type: "conv", name: "conv", inputs, outputs: [product] };
  // The weights 0.5 and 1, dilated by 2, over 3 5 0 0.
  assertEquals([...run([dequantize, conv]).product!.data], [1.5, 2.5]);
  const computed = { type: "identity", name: "weight", inputs: { x }, outputs: [weight] };
  assertThrows(() => run([computed, conv]), TypeError, "conv conv: dilations must be 1");
  assertThrows(() => run([conv, dequantize]), TypeError, "nothing defines weight");
});

/** A wrong program, and the interpreter's message. */
const WRONG: Record<string, { program: MilProgram; says: string }> = (() => {
  const x: MilValue = { name: "x", dataType: "fp32", shape: [2] };
  const y: MilValue = { name: "y", dataType: "fp32", shape: [2] };
  const half = constant("half", scalar("fp16", 0.5));
  const zero = constant("zero", scalar("fp32", 0));
  const clip = (beta: MilValue) => ({ type: "clip", inputs: { x, alpha: zero, beta } });
  const scalarY: MilValue = { ...y, shape: [] };
  return {
    "an operation that does not exist": { program: program({ type: "rectify" }), says: "no operation rectify (first)" },
    "a parameter that does not exist": { program: program({ inputs: { x, alpha: half } }), says: "no parameter alpha" },
    "a parameter that is missing": { program: program({ type: "add" }), says: "add first: parameter y is missing" },
    "an optional parameter of Apple's API that is missing": {
      program: program({ type: "log" }),
      says: "parameter epsilon is missing",
    },
    "a list instead of one value": { program: program({ inputs: { x: [x, x] } }), says: "not a list" },
    "a parameter that is not constant": {
      program: program(clip({ name: "x", dataType: "fp32", shape: [] })),
      says: "parameter beta must be a constant",
    },
    "types that differ": {
      program: program({ type: "mul", inputs: { x, y: half } }, { constants: [half] }),
      says: "x is fp32, y fp16",
    },
    "a value read as another type": {
      program: program({ inputs: { x: { ...x, shape: [1, 2] } } }),
      says: "reads x as",
    },
    "an output declared with another type": {
      program: program({ outputs: [{ ...y, dataType: "fp16" }] }),
      says: "y is declared as fp16 [2] but is fp32 [2]",
    },
    "an output declared with another shape": {
      program: program({ outputs: [{ ...y, shape: [3] }] }),
      says: "y is declared as fp32 [3] but is fp32 [2]",
    },
    "too many outputs": { program: program({ outputs: [y, { ...y, name: "z" }] }), says: "has 1 outputs, not 2" },
    "two values of one name": {
      program: program({ outputs: [x] }, { outputs: [x] }),
      says: "two values have the name x",
    },
    "a feature without dimensions": { program: program({}, { outputs: [scalarY] }), says: "rank 1 or more" },
    "a feature of a type that Core ML does not have": {
      program: program({}, { inputs: [{ ...x, dataType: "uint8" }] }),
      says: "input x must be fp32, fp16 or int32",
    },
    "an output that is an input": { program: program({}, { outputs: [x] }), says: "not the result of an operation" },
    "rank 6": { program: program({}, { inputs: [{ ...x, shape: [1, 1, 1, 1, 1, 2] }] }), says: "its rank is over 5" },
    "constants of the wrong length": {
      program: program({}, { constants: [{ ...zero, shape: [3] }] }),
      says: "zero: fp32 [3] has 12 bytes, not 4",
    },
  };
})();

Deno.test("the interpreter rejects wrong programs", async (t) => {
  for (const [what, { program, says }] of Object.entries(WRONG)) {
    await t.step(what, () => {
      const error = assertThrows(() => runProgram(program, { x: X }), TypeError);
      assertStringIncludes((error as Error).message, says);
    });
  }
});

Deno.test("runProgram rejects inputs of another size or type", () => {
  assertThrows(() => runProgram(program({}), {}), TypeError, "input x is missing");
  assertThrows(() => runProgram(program({}), { x: new Float32Array(3) }), TypeError, "has 8 bytes, not 12");
  assertThrows(() => runProgram(program({}), { x: new Int32Array(2) }), TypeError, "not the elements of a Int32Array");
});
