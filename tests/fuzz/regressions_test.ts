/** Small graphs for which the fuzzer found faults. */

import { assertEquals } from "@std/assert";
import { tensor } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { checkProgram, newGraphTally } from "./graphs.ts";
import type { Leaf, Program } from "./programs.ts";

/** An input of ascending numbers. */
function ascending(id: number, ...shape: number[]): Leaf {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const data = Array.from({ length: count }, (_, i) => i - count / 2);
  return { id, tensor: tensor("float32", shape, data), isConstant: false };
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  "a reciprocal times a number, where the engine loses the dimensions": {
    leaves: [
      { id: 0, tensor: tensor("float32", [1], [1]), isConstant: true },
      { id: 1, tensor: tensor("float32", [], [4]), isConstant: false },
    ],
    steps: [
      { operator: "div", operands: { a: 0, b: 1 }, attributes: {}, outputs: [2] },
      { operator: "mul", operands: { a: 2, b: 1 }, attributes: {}, outputs: [3] },
    ],
  },
  "an average pool with padding, which the engine merges into the pool and then rejects": {
    leaves: [ascending(0, 1, 1, 3, 3)],
    steps: [{
      operator: "averagePool2d",
      operands: { input: 0 },
      attributes: {
        windowDimensions: [2, 1],
        padding: [1, 1, 0, 0],
        strides: [2, 3],
        dilations: [2, 1],
        outputShapeRounding: "ceil",
      },
      outputs: [1],
    }],
  },
  "a transpose before an interpolation, which the engine moves behind it, where it has no kernel": {
    leaves: [ascending(0, 1, 2, 2, 3)],
    steps: [
      { operator: "transpose", operands: { input: 0 }, attributes: { permutation: [0, 2, 3, 1] }, outputs: [1] },
      { operator: "relu", operands: { input: 1 }, attributes: {}, outputs: [2] },
      {
        operator: "resample2d",
        operands: { input: 2 },
        attributes: { axes: [2, 3], mode: "linear", sizes: [5, 4] },
        outputs: [3],
      },
      { operator: "tanh", operands: { input: 3 }, attributes: {}, outputs: [4] },
      { operator: "transpose", operands: { input: 4 }, attributes: { permutation: [0, 3, 1, 2] }, outputs: [5] },
    ],
  },
};

for (const [name, program] of Object.entries(PROGRAMS)) {
  Deno.test(`found by the fuzzer: ${name}`, async () => {
    assertEquals(await checkProgram(await sharedContext(), program, newGraphTally()), undefined);
  });
}
