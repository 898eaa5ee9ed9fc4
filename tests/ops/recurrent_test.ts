/** Validation and results of recurrent networks and their cells. */

import { assertEquals } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { evaluate, tensor } from "../reference/mod.ts";
import { assertAgrees, valuesOf } from "../support/agreement.ts";
import { sharedContext } from "../support/builder.ts";
import { runOperator } from "../support/run_operator.ts";
import { testValidation } from "../support/validation.ts";

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
const [STEPS, BATCH, INPUT, HIDDEN] = [3, 2, 4, 5] as const;
const sizes = { steps: STEPS, hiddenSize: HIDDEN };

/** The shapes of a network's operands. */
function network(gates: number, directions: number) {
  const rows = gates * HIDDEN;
  return {
    input: [STEPS, BATCH, INPUT],
    weight: [directions, rows, INPUT],
    recurrentWeight: [directions, rows, HIDDEN],
  };
}

/** The shapes of a network's optional operands. */
function networkOptions(gates: number, directions: number) {
  const rows = [directions, gates * HIDDEN];
  return { bias: rows, recurrentBias: rows, initialHiddenState: [directions, BATCH, HIDDEN] };
}

/** The shapes of a cell's operands. */
function cell(gates: number): Record<"input" | "weight" | "recurrentWeight" | "hiddenState", readonly number[]> {
  return {
    input: [BATCH, INPUT],
    weight: [gates * HIDDEN, INPUT],
    recurrentWeight: [gates * HIDDEN, HIDDEN],
    hiddenState: [BATCH, HIDDEN],
  };
}

const state: readonly number[] = [BATCH, HIDDEN];

for (const [name, gates, states, activations] of [["gru", 3, 1, 2], ["lstm", 4, 2, 3]] as const) {
  const shapes = network(gates, 1);
  const optional = {
    ...networkOptions(gates, 1),
    ...(name === "lstm" ? { peepholeWeight: [1, 3 * HIDDEN], initialCellState: [1, ...state] } : {}),
  };
  const last = (directions: number) => new Array(states).fill([directions, ...state]);
  testValidation(name, {
    types: { input: FLOATS },
    valid: [
      { shapes, attributes: sizes, outputs: last(1) },
      {
        shapes: { ...shapes, ...optional },
        attributes: { ...sizes, returnSequence: true },
        outputs: [...last(1), [STEPS, 1, ...state]],
      },
      { shapes, attributes: { ...sizes, direction: "backward" }, outputs: last(1) },
      {
        shapes: network(gates, 2),
        attributes: { ...sizes, direction: "both", returnSequence: true },
        outputs: [...last(2), [STEPS, 2, ...state]],
      },
      { shapes, attributes: { ...sizes, activations: new Array(activations).fill("relu") }, outputs: last(1) },
    ],
    invalid: [
      { shapes, attributes: { ...sizes, steps: 0 }, message: "steps must be 3, the input's first dimension, not 0" },
      { shapes, attributes: { ...sizes, steps: 4 }, message: "steps must be 3" },
      { shapes, attributes: { ...sizes, hiddenSize: 0 }, message: "hiddenSize must be 1 to" },
      { shapes, attributes: { ...sizes, hiddenSize: 2 ** 31 - 1 }, message: "hiddenSize must be 1 to" },
      { shapes, attributes: { ...sizes, hiddenSize: 4 }, message: `weight must have the shape [1, ${4 * gates}, 4]` },
      { shapes, attributes: { ...sizes, direction: "both" }, message: "weight must have the shape [2, " },
      { shapes, attributes: { ...sizes, activations: ["tanh"] }, message: `must have ${activations} items, not 1` },
      { shapes: { ...shapes, input: [3, 8] }, attributes: sizes, message: "input must have rank 3, not 2" },
      {
        shapes: { ...shapes, recurrentWeight: shapes.weight },
        attributes: sizes,
        message: "recurrentWeight must have the shape",
      },
      ...Object.keys({ ...shapes, ...optional }).slice(1).map((operand) => ({
        shapes: { ...shapes, ...optional },
        types: { [operand]: "float16" } as const,
        attributes: sizes,
        message: `${operand} must be float32 like input`,
      })),
      ...Object.entries(optional).map(([operand, shape]) => ({
        shapes: { ...shapes, [operand]: shape.with(-1, 1) },
        attributes: sizes,
        message: `${operand} must have the shape`,
      })),
      ...Object.entries(optional).map(([operand, shape]) => ({
        shapes: { ...shapes, [operand]: shape.slice(1) },
        attributes: sizes,
        message: `${operand} must have rank ${shape.length}, not ${shape.length - 1}`,
      })),
    ],
    unconvertible: [
      { shapes, attributes: { ...sizes, steps: -1 }, message: "steps" },
      { shapes, attributes: { ...sizes, direction: "reverse" }, message: "direction" },
      { shapes, attributes: { ...sizes, layout: "ofig" }, message: "layout" },
      { shapes, attributes: { ...sizes, activations: ["gelu"] }, message: "activations[0]" },
    ],
  });
}

for (const [name, gates, states, activations] of [["gruCell", 3, 1, 2], ["lstmCell", 4, 2, 3]] as const) {
  const shapes = { ...cell(gates), ...(name === "lstmCell" ? { cellState: state } : {}) };
  const rows = [gates * HIDDEN];
  const peephole = name === "lstmCell" ? { peepholeWeight: [3 * HIDDEN] } : {};
  const optional = { bias: rows, recurrentBias: rows, ...peephole };
  const attributes = { hiddenSize: HIDDEN };
  const outputs = new Array(states).fill(state);
  testValidation(name, {
    types: { input: FLOATS },
    valid: [
      { shapes, attributes, outputs },
      { shapes: { ...shapes, ...optional }, attributes, outputs },
      { shapes, attributes: { ...attributes, activations: new Array(activations).fill("relu") }, outputs },
    ],
    invalid: [
      { shapes, attributes: { hiddenSize: 0 }, message: "hiddenSize must be 1 to" },
      { shapes, attributes: { hiddenSize: 2 ** 31 - 1 }, message: "hiddenSize must be 1 to" },
      { shapes, attributes: { hiddenSize: 4 }, message: `weight must have the shape [${4 * gates}, 4]` },
      { shapes, attributes: { ...attributes, activations: ["tanh"] }, message: `must have ${activations} items` },
      ...Object.keys({ ...shapes, ...optional }).slice(1).map((operand) => ({
        shapes: { ...shapes, ...optional },
        types: { [operand]: "float16" } as const,
        attributes,
        message: `${operand} must be float32 like input`,
      })),
      ...Object.entries({ ...shapes, ...optional }).slice(1).map(([operand, shape]) => ({
        shapes: { ...shapes, [operand]: shape.with(0, 1) },
        attributes,
        message: `${operand} must have the shape`,
      })),
      ...Object.entries({ ...shapes, ...optional }).map(([operand, shape]) => ({
        shapes: { ...shapes, [operand]: [1, ...shape] },
        attributes,
        message: `${operand} must have rank ${shape.length}, not ${shape.length + 1}`,
      })),
    ],
    unconvertible: [
      { shapes, attributes: { hiddenSize: -1 }, message: "hiddenSize" },
      { shapes, attributes: { ...attributes, layout: "gofi" }, message: "layout" },
    ],
  });
}

const DIRECTIONS = ["forward", "backward", "both"] as const;
/** Computed weights, and constant ones. */
const CONSTANTS = [[], ["weight", "recurrentWeight", "bias", "recurrentBias", "peepholeWeight"]];

Deno.test("gru agrees with the reference in all gate orders and directions, with and without resetAfter", async () => {
  for (const direction of DIRECTIONS) {
    const directions = direction === "both" ? 2 : 1;
    const operands = valuesOf("float32", { ...network(3, directions), ...networkOptions(3, directions) });
    for (const layout of ["zrn", "rzn"]) {
      for (const resetAfter of [true, false]) {
        for (const constants of CONSTANTS) {
          const attributes = { ...sizes, direction, layout, resetAfter, returnSequence: true };
          await assertAgrees("gru", operands, attributes, constants);
        }
      }
    }
  }
});

Deno.test("lstm agrees with the reference with and without peepholes, in both gate orders and all directions", async () => {
  for (const direction of DIRECTIONS) {
    const directions = direction === "both" ? 2 : 1;
    const shapes = {
      ...network(4, directions),
      ...networkOptions(4, directions),
      initialCellState: [directions, ...state],
    };
    for (const peephole of [{}, { peepholeWeight: [directions, 3 * HIDDEN] }]) {
      const operands = valuesOf("float32", { ...shapes, ...peephole });
      for (const layout of ["iofg", "ifgo"]) {
        for (const returnSequence of [true, false]) {
          for (const constants of CONSTANTS) {
            await assertAgrees("lstm", operands, { ...sizes, direction, layout, returnSequence }, constants);
          }
        }
      }
    }
  }
});

Deno.test("recurrent networks accept one bias without the other", async () => {
  for (const [name, gates] of [["gru", 3], ["lstm", 4]] as const) {
    for (const bias of ["bias", "recurrentBias"]) {
      await assertAgrees(name, valuesOf("float32", { ...network(gates, 1), [bias]: [1, gates * HIDDEN] }), sizes);
    }
  }
  for (const [name, gates] of [["gruCell", 3], ["lstmCell", 4]] as const) {
    const cellState = name === "lstmCell" ? { cellState: state } : {};
    for (const bias of ["bias", "recurrentBias"]) {
      const operands = valuesOf("float32", { ...cell(gates), ...cellState, [bias]: [gates * HIDDEN] });
      await assertAgrees(name, operands, { hiddenSize: HIDDEN });
    }
  }
});

Deno.test("recurrent networks accept any activations", async () => {
  const names = ["relu", "sigmoid", "tanh"] as const;
  for (const gate of names) {
    for (const candidate of names) {
      const gru = valuesOf("float32", network(3, 2));
      await assertAgrees("gru", gru, { ...sizes, direction: "both", activations: [gate, candidate] });
      const lstm = valuesOf("float32", network(4, 2));
      await assertAgrees("lstm", lstm, { ...sizes, direction: "both", activations: [gate, candidate, "sigmoid"] });
    }
  }
});

Deno.test("the output gate of an lstm with peepholes uses the old cell state", async () => {
  // Only the cell state (5) and the peephole weights (1, 1, -1) are not 0. So the output gate is σ(5) if it uses the old
  // state, and smaller if it uses the new one.
  const zeros = (shape: number[]) => tensor("float32", shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(0));
  const operands = {
    input: zeros([1, 1, 1]),
    weight: zeros([1, 4, 1]),
    recurrentWeight: zeros([1, 4, 1]),
    peepholeWeight: tensor("float32", [1, 3], [1, 1, -1]),
    initialHiddenState: zeros([1, 1, 1]),
    initialCellState: tensor("float32", [1, 1, 1], [5]),
  };
  const [hidden, cellState] = await runOperator(await sharedContext(), "lstm", operands, { steps: 1, hiddenSize: 1 });
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const newCell = sigmoid(-5) * 5;
  assertEquals(Math.abs(Number(cellState!.data[0]) - newCell) < 1e-6, true);
  assertEquals(Math.abs(Number(hidden!.data[0]) - sigmoid(5) * Math.tanh(newCell)) < 1e-6, true);
});

Deno.test("the sequence of a backward network is in the order of time", async () => {
  const operands = valuesOf("float32", network(3, 1));
  const attributes = { ...sizes, direction: "backward", returnSequence: true };
  const [last, sequence] = await runOperator(await sharedContext(), "gru", operands, attributes);
  assertEquals(sequence!.data.slice(0, BATCH * HIDDEN), last!.data);
  assertEquals(evaluate("gru", operands, attributes)[1]!.shape, sequence!.shape);
});
