/**
 * The interpreter's operations, compared with coremltools' own numbers, with WebNN's reference where the operations are
 * the same, and with worked examples.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import type { MilConstant } from "../../src/backends/coreml/mil.ts";
import { constantValue, OPERATIONS, runOperation, type Tensor } from "./interpreter/mod.ts";
import numbers from "./numbers.json" with { type: "json" };
import {
  assertAgrees,
  assertClose,
  constant,
  ints,
  NO,
  noise,
  type Numeric,
  reference,
  run,
  scalar,
  tensor,
  testedTypes,
  YES,
} from "./one_operation.ts";

/** A tensor, a string, or several tensors, as in `numbers.json`. */
type Described = { type: string; shape: number[]; data: (number | string)[] };
type Parameter = Described | string | Described[];

function parse(described: Described): Tensor {
  const NAMED: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  const data = described.data.map((element) => typeof element === "number" ? element : NAMED[element]!);
  return tensor(described.type as Numeric, described.shape, data);
}

function parseParameter(parameter: Parameter): Tensor | string | Tensor[] {
  if (typeof parameter === "string") return parameter;
  return Array.isArray(parameter) ? parameter.map(parse) : parse(parameter);
}

Deno.test(`the interpreter agrees with the value inference of coremltools ${numbers.coremltools}`, async (t) => {
  const cases = numbers.cases as unknown as { op: string; inputs: Record<string, Parameter>; outputs: Described[] }[];
  for (const [op, ofOp] of Map.groupBy(cases, ({ op }) => op)) {
    await t.step(`${op}, ${ofOp.length} cases`, () => {
      for (const { inputs, outputs } of ofOp) {
        const expected = outputs.map(parse);
        const parsed = Object.entries(inputs).map(([name, value]) => [name, parseParameter(value)]);
        const actual = run(op, Object.fromEntries(parsed), expected);
        expected.forEach((output, i) => assertClose(actual[i]!, output, `${op} ${JSON.stringify(inputs)}`));
      }
    });
  }
});

const FLOATS = ["fp32", "fp16"] as const;

Deno.test("conv agrees with WebNN's conv2d", () => {
  const groupings = [{ groups: 1, channels: 4 }, { groups: 2, channels: 2 }, { groups: 4, channels: 1 }];
  for (const type of FLOATS) {
    for (const { groups, channels } of groupings) {
      for (const [strides, dilations] of [[[1, 1], [1, 1]], [[2, 3], [1, 1]], [[1, 2], [2, 3]]]) {
        const x = noise(type, [2, 4, 9, 11], 1);
        const weight = noise(type, [8, channels, 3, 2], 2);
        const bias = noise(type, [8], 3);
        const padding = [1, 2, 0, 3];
        assertAgrees(
          "conv",
          {
            x,
            weight,
            bias,
            strides: ints(...strides!),
            dilations: ints(...dilations!),
            pad: ints(...padding),
            pad_type: "custom",
            groups: scalar("int32", groups),
          },
          reference("conv2d", { input: x, filter: weight, bias }, { padding, strides, dilations, groups }),
        );
      }
    }
  }
});

Deno.test("conv that keeps the size agrees with WebNN's conv2d", () => {
  for (const kernel of [1, 3]) {
    const [x, weight] = [noise("fp32", [1, 2, 5, 6], 1), noise("fp32", [3, 2, kernel, kernel], 2)];
    const side = (kernel - 1) / 2;
    const padding = [side, side, side, side];
    assertAgrees("conv", {
      x,
      weight,
      strides: ints(1, 1),
      dilations: ints(1, 1),
      pad: ints(...padding),
      pad_type: "custom",
      groups: scalar("int32", 1),
    }, reference("conv2d", { input: x, filter: weight }, { padding }));
  }
});

Deno.test("conv_transpose agrees with WebNN's convTranspose2d", () => {
  for (const groups of [1, 2]) {
    for (const [strides, dilations, outputPadding] of [[[1, 1], [1, 2], [0, 0]], [[2, 3], [1, 1], [1, 2]]]) {
      const x = noise("fp32", [2, 4, 5, 4], 1);
      const weight = noise("fp32", [4, 3, 3, 2], 2);
      const bias = noise("fp32", [3 * groups], 3);
      const padding = [1, 0, 0, 1];
      const expected = reference("convTranspose2d", { input: x, filter: weight, bias }, {
        padding,
        strides,
        dilations,
        outputPadding,
        groups,
      });
      assertAgrees("conv_transpose", {
        x,
        weight,
        bias,
        strides: ints(...strides!),
        dilations: ints(...dilations!),
        pad: ints(...padding),
        pad_type: "custom",
        groups: scalar("int32", groups),
        output_shape: ints(...expected[0]!.shape),
      }, expected);
    }
  }
});

Deno.test("pools agree with WebNN's", () => {
  const operators = { avg_pool: "averagePool2d", l2_pool: "l2Pool2d", max_pool: "maxPool2d" };
  for (const [type, operator] of Object.entries(operators)) {
    for (const [padding, ceil] of [[[1, 0, 0, 1], NO], [[1, 1, 0, 0], YES], [[0, 0, 0, 0], YES]] as const) {
      const x = noise("fp32", [2, 3, 8, 10]);
      assertAgrees(
        type,
        {
          x,
          kernel_sizes: ints(3, 2),
          strides: ints(2, 3),
          pad: ints(...padding),
          pad_type: "custom",
          ceil_mode: ceil,
          ...(type === "avg_pool" && { exclude_padding_from_average: YES }),
        },
        reference(operator, { input: x }, {
          windowDimensions: [3, 2],
          padding,
          strides: [2, 3],
          outputShapeRounding: ceil === YES ? "ceil" : "floor",
        }),
      );
    }
  }
});

Deno.test("avg_pool includes the padding unless exclude_padding_from_average is true", () => {
  // The padded row is [0 1 2 0]: the means of 0 and 1, of 1 and 2, of 2 and 0.
  const inputs = {
    x: tensor("fp32", [1, 1, 1, 2], [1, 2]),
    kernel_sizes: ints(1, 2),
    strides: ints(1, 1),
    pad: ints(0, 0, 1, 1),
    pad_type: "custom",
    ceil_mode: NO,
  };
  assertAgrees("avg_pool", { ...inputs, exclude_padding_from_average: NO }, [
    tensor("fp32", [1, 1, 1, 3], [0.5, 1.5, 1]),
  ]);
  assertAgrees("avg_pool", { ...inputs, exclude_padding_from_average: YES }, [
    tensor("fp32", [1, 1, 1, 3], [1, 1.5, 2]),
  ]);
});

Deno.test("normalizations agree with WebNN's", () => {
  for (const type of FLOATS) {
    const epsilon = scalar(type, 0.25);
    for (const shape of [[2, 3, 4], [2, 3, 4, 2], [2, 3, 2, 2, 2]]) {
      const x = noise(type, shape, 1);
      const [mean, gamma, beta] = [2, 3, 4].map((seed) => noise(type, [3], seed)) as [Tensor, Tensor, Tensor];
      const variance = tensor(type, [3], [0.5, 1, 2]);
      assertAgrees(
        "batch_norm",
        { x, mean, variance, gamma, beta, epsilon },
        reference("batchNormalization", { input: x, mean, variance, scale: gamma, bias: beta }, { epsilon: 0.25 }),
      );
      assertAgrees(
        "batch_norm",
        { x, mean, variance, epsilon },
        reference("batchNormalization", { input: x, mean, variance }, { epsilon: 0.25 }),
      );
    }
    const x = noise(type, [2, 3, 4, 5], 1);
    const [scale, bias] = [noise(type, [3], 2), noise(type, [3], 3)];
    assertAgrees(
      "instance_norm",
      { x, gamma: scale, beta: bias, epsilon },
      reference("instanceNormalization", { input: x, scale, bias }, { epsilon: 0.25 }),
    );
    assertAgrees("instance_norm", { x, epsilon }, reference("instanceNormalization", { input: x }, { epsilon: 0.25 }));
  }
});

Deno.test("resize_bilinear and upsample_bilinear agree with WebNN's resample2d on its grid", () => {
  const upsample = (x: Tensor, [height, width]: readonly [number, number], expected: readonly Tensor[]) => {
    const scales = { scale_factor_height: scalar("fp32", height), scale_factor_width: scalar("fp32", width) };
    assertAgrees("upsample_bilinear", { x, ...scales, align_corners: NO, half_pixel_centers: YES }, expected);
  };
  for (const [height, width] of [[6, 3], [2, 8], [4, 4]] as const) {
    const x = noise("fp32", [2, 1, 3, 4]);
    const expected = reference("resample2d", { input: x }, { mode: "linear", sizes: [height, width] });
    const inputs = { x, target_size_height: scalar("int32", height), target_size_width: scalar("int32", width) };
    assertAgrees("resize_bilinear", { ...inputs, sampling_mode: "UNALIGN_CORNERS" }, expected);
    upsample(x, [height / 3 + 0.01, width / 4 + 0.01], expected);
  }
  // The example from coremltools' tests.
  const row = [1, 1, 4 / 3, 5 / 3, 2, 2];
  upsample(tensor("fp32", [1, 1, 1, 2], [1, 2]), [2, 3], [tensor("fp32", [1, 1, 2, 6], [...row, ...row])]);
});

Deno.test("resize_bilinear uses the grids of Apple's documentation", () => {
  // The documentation's table of grid points between two positions. With x = [0, 1], a result is its grid point.
  const grids: Record<string, number[]> = {
    UNALIGN_CORNERS: [0, 0.1, 0.5, 0.9, 1],
    STRICT_ALIGN_CORNERS: [0, 0.25, 0.5, 0.75, 1],
    ALIGN_CORNERS: [0, 0.25, 0.5, 0.75, 1],
    DEFAULT: [0, 0.4, 0.8, 1, 1],
    OFFSET_CORNERS: [0.1, 0.3, 0.5, 0.7, 0.9],
  };
  for (const [mode, points] of Object.entries(grids)) {
    assertAgrees("resize_bilinear", {
      x: tensor("fp32", [1, 1, 2], [0, 1]),
      target_size_height: scalar("int32", 1),
      target_size_width: scalar("int32", 5),
      sampling_mode: mode,
    }, [tensor("fp32", [1, 1, 5], points)]);
  }
});

Deno.test("nearest neighbours are supported for integer factors only", () => {
  // The examples from coremltools' tests.
  assertAgrees("resize_nearest_neighbor", {
    x: tensor("fp32", [1, 1, 2, 1], [0.37, 6.17]),
    target_size_height: scalar("int32", 2),
    target_size_width: scalar("int32", 3),
  }, [tensor("fp32", [1, 1, 2, 3], [0.37, 0.37, 0.37, 6.17, 6.17, 6.17])]);
  const upsample = (factor: number, expected: Tensor) =>
    assertAgrees("upsample_nearest_neighbor", {
      x: tensor("fp32", [1, 1, 3], [1.5, 2.5, 3.5]),
      scale_factor_height: scalar("int32", 1),
      scale_factor_width: scalar("fp32", factor),
    }, [expected]);
  upsample(2, tensor("fp32", [1, 1, 6], [1.5, 1.5, 2.5, 2.5, 3.5, 3.5]));
  assertThrows(() => upsample(1.5, noise("fp32", [1, 1, 4])), TypeError, "no documented rule");
});

Deno.test("gather_nd and scatter_nd agree with WebNN's gatherND and scatterND", () => {
  const x = noise("fp32", [3, 4, 2]);
  const indices = tensor("int32", [2, 2], [2, 1, 0, 3]);
  const validate_indices = NO;
  assertAgrees(
    "gather_nd",
    { x, indices, batch_dims: scalar("int32", 0), validate_indices },
    reference("gatherND", { input: x, indices }),
  );
  const updates = noise("fp32", [2, 2], 2);
  assertAgrees(
    "scatter_nd",
    { data: x, indices, updates, mode: "update", validate_indices },
    reference("scatterND", { input: x, indices, updates }),
  );
});

Deno.test("scatter applies several updates of one element in order", () => {
  const results = { add: 9, sub: -5, mul: 24, div: 2 / 12, max: 4, min: 2, update: 4 };
  for (const [mode, result] of Object.entries(results)) {
    const shared = {
      data: tensor("fp32", [2], [7, 2]),
      updates: tensor("fp32", [2], [3, 4]),
      mode,
      validate_indices: NO,
    };
    const expected = [tensor("fp32", [2], [7, result])];
    assertAgrees("scatter_along_axis", { ...shared, indices: ints(1, 1), axis: scalar("int32", 0) }, expected);
    assertAgrees("scatter_nd", { ...shared, indices: tensor("int32", [2, 1], [1, 1]) }, expected);
  }
});

Deno.test("cumsum can be exclusive", () => {
  const inputs = { x: ints(1, 2, 3), axis: scalar("int32", 0), exclusive: YES };
  assertAgrees("cumsum", { ...inputs, reverse: NO }, [ints(0, 1, 3)]);
  assertAgrees("cumsum", { ...inputs, reverse: YES }, [ints(5, 3, 0)]);
});

Deno.test("one_hot puts one value into each vector", () => {
  const inputs = {
    indices: ints(2, 0, 5),
    one_hot_vector_size: scalar("int32", 3),
    on_value: scalar("fp32", 7),
    off_value: scalar("fp32", -1),
  };
  const rows = tensor("fp32", [3, 3], [-1, -1, 7, 7, -1, -1, -1, -1, -1]);
  const columns = tensor("fp32", [3, 3], [-1, 7, -1, -1, -1, -1, 7, -1, -1]);
  assertAgrees("one_hot", { ...inputs, axis: scalar("int32", -1) }, [rows]);
  assertAgrees("one_hot", { ...inputs, axis: scalar("int32", 0) }, [columns]);
});

Deno.test("4-bit constants are unpacked from bytes, the low half first", () => {
  const data = { name: "data", dataType: "int4", shape: [1, 4], data: Uint8Array.of(0x2f, 0x78) } as const;
  const scale = constant("scale", tensor("fp32", [1, 2], [1, 10]));
  const offset = { name: "offset", dataType: "int4", shape: [1, 2], data: Uint8Array.of(0x01) } as const;
  const [output] = runOperation({
    type: "constexpr_blockwise_shift_scale",
    name: "dequantize",
    inputs: {},
    outputs: [{ name: "output", dataType: "fp32", shape: [1, 4] }],
    attributes: { data, scale, offset },
  }, (value) => constantValue(value as MilConstant));
  assertEquals([...output!.data], [-2, 1, -80, 70]);
});

/** The weights of one direction, small enough that no activation saturates. */
function recurrentWeights(gates: number, hidden: number, input: number, seed: number) {
  const small = (shape: number[], seed: number) => {
    const { data } = noise("fp32", shape, seed);
    return tensor("fp32", shape, [...data].map((x) => x / 4));
  };
  return {
    weight_ih: small([gates * hidden, input], seed),
    weight_hh: small([gates * hidden, hidden], seed + 1),
    bias: small([gates * hidden], seed + 2),
  };
}

/** The same elements with leading axes of size 1, or none. */
function reshaped(value: Tensor, ...shape: number[]): Tensor {
  return { ...value, shape };
}

const [STEPS, BATCH, INPUT, HIDDEN] = [3, 2, 4, 3];

Deno.test("lstm without peepholes agrees with WebNN's in each direction", () => {
  const x = noise("fp32", [STEPS, BATCH, INPUT], 1);
  const initial_h = noise("fp32", [BATCH, HIDDEN], 2);
  const initial_c = noise("fp32", [BATCH, HIDDEN], 3);
  const weights = recurrentWeights(4, HIDDEN, INPUT, 4);
  for (const direction of ["forward", "reverse"]) {
    const [hidden, cell, sequence] = reference("lstm", {
      input: x,
      weight: reshaped(weights.weight_ih, 1, 4 * HIDDEN, INPUT),
      recurrentWeight: reshaped(weights.weight_hh, 1, 4 * HIDDEN, HIDDEN),
      bias: reshaped(weights.bias, 1, 4 * HIDDEN),
      initialHiddenState: reshaped(initial_h, 1, BATCH, HIDDEN),
      initialCellState: reshaped(initial_c, 1, BATCH, HIDDEN),
    }, {
      // The reference finds the rows of a gate by its letter, so MIL's order needs no reordering.
      layout: "ifog",
      direction: direction === "forward" ? "forward" : "backward",
      returnSequence: true,
    }) as [Tensor, Tensor, Tensor];
    const inputs = {
      x,
      initial_h,
      initial_c,
      ...weights,
      direction,
      recurrent_activation: "sigmoid",
      cell_activation: "tanh",
      activation: "tanh",
    };
    const ordered = reshaped(direction === "forward" ? sequence : reversedInTime(sequence), STEPS, BATCH, HIDDEN);
    const states = [reshaped(hidden, BATCH, HIDDEN), reshaped(cell, BATCH, HIDDEN)];
    assertAgrees("lstm", { ...inputs, output_sequence: YES }, [ordered, ...states]);
    assertAgrees("lstm", { ...inputs, output_sequence: NO }, [reshaped(hidden, 1, BATCH, HIDDEN), ...states]);
  }
});

/** Core ML returns the sequence of the direction `reverse` in the order of computation. */
function reversedInTime({ data, ...rest }: Tensor): Tensor {
  const steps = Array.from(
    { length: STEPS },
    (_, i) => [...data.subarray(i * BATCH * HIDDEN, (i + 1) * BATCH * HIDDEN)],
  );
  return tensor(rest.dataType, rest.shape, steps.reverse().flat());
}

Deno.test("bidirectional lstm concatenates the directions, both in the order of time", () => {
  const x = noise("fp32", [STEPS, 1, INPUT], 1);
  const [initial_h, initial_c] = [noise("fp32", [1, 2 * HIDDEN], 2), noise("fp32", [1, 2 * HIDDEN], 3)];
  const forward = recurrentWeights(4, HIDDEN, INPUT, 4);
  const backward = recurrentWeights(4, HIDDEN, INPUT, 14);
  const both = (a: Tensor, b: Tensor) => tensor("fp32", [2, ...a.shape], [...a.data, ...b.data]);
  const [hidden, cell, sequence] = reference("lstm", {
    input: x,
    weight: both(forward.weight_ih, backward.weight_ih),
    recurrentWeight: both(forward.weight_hh, backward.weight_hh),
    bias: both(forward.bias, backward.bias),
    initialHiddenState: reshaped(initial_h, 2, 1, HIDDEN),
    initialCellState: reshaped(initial_c, 2, 1, HIDDEN),
  }, { layout: "ifog", direction: "both", returnSequence: true }) as [Tensor, Tensor, Tensor];
  assertAgrees("lstm", {
    x,
    initial_h,
    initial_c,
    ...forward,
    weight_ih_back: backward.weight_ih,
    weight_hh_back: backward.weight_hh,
    bias_back: backward.bias,
    direction: "bidirectional",
    output_sequence: YES,
    recurrent_activation: "sigmoid",
    cell_activation: "tanh",
    activation: "tanh",
  }, [reshaped(sequence, STEPS, 1, 2 * HIDDEN), reshaped(hidden, 1, 2 * HIDDEN), reshaped(cell, 1, 2 * HIDDEN)]);
});

Deno.test("the peephole of lstm's output gate uses the new cell state", () => {
  // One unit with only peepholes and a candidate of 0.5: i = 3·c, f = 2·c, o = 5·c', with linear gates and c = 1.
  const [, hidden, cell] = run("lstm", {
    x: tensor("fp32", [1, 1, 1], [0]),
    initial_h: tensor("fp32", [1, 1], [0]),
    initial_c: tensor("fp32", [1, 1], [1]),
    weight_ih: tensor("fp32", [4, 1], [0, 0, 0, 0]),
    weight_hh: tensor("fp32", [4, 1], [0, 0, 0, 0]),
    bias: tensor("fp32", [4], [0, 0, 0, 0.5]),
    peephole: tensor("fp32", [3], [3, 2, 5]),
    direction: "forward",
    output_sequence: NO,
    recurrent_activation: "linear",
    cell_activation: "linear",
    activation: "linear",
  }, [[1, 1, 1], [1, 1], [1, 1]].map((shape) => ({ dataType: "fp32", shape })));
  const nextCell = 2 * 1 + 3 * 0.5;
  assertEquals([cell!.data[0], hidden!.data[0]], [nextCell, 5 * nextCell * nextCell]);
});

Deno.test("gru agrees with WebNN's if the reset gate is applied before the product", () => {
  const x = noise("fp32", [STEPS, BATCH, INPUT], 1);
  const initial_h = noise("fp32", [BATCH, HIDDEN], 2);
  const weights = recurrentWeights(3, HIDDEN, INPUT, 4);
  for (const direction of ["forward", "reverse"]) {
    const [hidden, sequence] = reference("gru", {
      input: x,
      weight: reshaped(weights.weight_ih, 1, 3 * HIDDEN, INPUT),
      recurrentWeight: reshaped(weights.weight_hh, 1, 3 * HIDDEN, HIDDEN),
      bias: reshaped(weights.bias, 1, 3 * HIDDEN),
      initialHiddenState: reshaped(initial_h, 1, BATCH, HIDDEN),
    }, {
      layout: "rnz",
      resetAfter: false,
      direction: direction === "forward" ? "forward" : "backward",
      returnSequence: true,
    }) as [Tensor, Tensor];
    assertAgrees("gru", {
      x,
      initial_h,
      ...weights,
      direction,
      output_sequence: YES,
      recurrent_activation: "sigmoid",
      activation: "tanh",
    }, [
      reshaped(direction === "forward" ? sequence : reversedInTime(sequence), STEPS, BATCH, HIDDEN),
      reshaped(hidden, BATCH, HIDDEN),
    ]);
  }
});

Deno.test("casting floats out of range saturates", () => {
  const x = tensor("fp32", [4], [300.7, -300.7, NaN, -1.9]);
  assertAgrees("cast", { x, dtype: "uint8" }, [tensor("uint8", [4], [255, 0, 0, 0])]);
  assertAgrees("cast", { x, dtype: "int8" }, [tensor("int8", [4], [127, -128, 0, -1])]);
});

Deno.test("indices out of range are errors", () => {
  const shared = { axis: scalar("int32", 0), validate_indices: NO };
  const expected = [tensor("fp32", [1], [0])];
  for (const index of [-1, 2]) {
    const gather = { x: tensor("fp32", [2], [1, 2]), indices: ints(index), ...shared };
    assertThrows(() => run("gather", { ...gather, batch_dims: scalar("int32", 0) }, expected), RangeError, "outside");
    assertThrows(() => run("gather_along_axis", gather, expected), RangeError, "outside");
    const scatter = { data: tensor("fp32", [2], [1, 2]), updates: expected[0]!, mode: "update", validate_indices: NO };
    const indices = tensor("int32", [1, 1], [index]);
    assertThrows(() => run("scatter_nd", { ...scatter, indices }, [scatter.data]), RangeError, "outside");
  }
});

// This must be the last test of the file.
Deno.test("every operation is tested", () => {
  assertEquals(Object.keys(OPERATIONS).filter((name) => !testedTypes.has(name)), []);
});
