/** Edge cases of pools: padding as large as the window, windows without elements, data types without a kernel. */

import { assertEquals } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { DATA_TYPES } from "../../src/data_type.ts";
import type { pools } from "../../src/ops/pool2d.ts";
import { evaluate, tensor } from "../reference/mod.ts";
import { assertAgrees, valuesOf } from "../support/agreement.ts";
import { newBuilder, sharedContext } from "../support/builder.ts";
import { SEED } from "../support/property.ts";
import { random } from "../../support/random.ts";
import { runGraph, runOperator } from "../support/run_operator.ts";
import { difference } from "../support/tolerance.ts";

const POOLS: readonly [keyof typeof pools, readonly MLOperandDataType[]][] = [
  ["averagePool2d", ["float32", "float16"]],
  ["l2Pool2d", ["float32", "float16"]],
  ["maxPool2d", DATA_TYPES],
];

const EDGE_CASES: readonly Record<string, unknown>[] = [
  {},
  { windowDimensions: [2, 3], padding: [1, 1, 2, 2] },
  { windowDimensions: [2, 2], padding: [2, 0, 0, 3] },
  { windowDimensions: [1, 1], padding: [4, 4, 4, 4], strides: [3, 3] },
  { windowDimensions: [2, 1], strides: [3, 4], outputShapeRounding: "ceil" },
  { windowDimensions: [1, 1], strides: [4, 3], outputShapeRounding: "ceil", padding: [0, 2, 0, 0] },
  { windowDimensions: [2, 2], dilations: [3, 2], padding: [3, 2, 1, 2] },
  { windowDimensions: [5, 4], padding: [1, 1, 1, 1], strides: [2, 2], dilations: [1, 2], outputShapeRounding: "ceil" },
  { windowDimensions: [9, 9], padding: [3, 3, 3, 3] },
  { windowDimensions: [2, 2], strides: [2, 2], padding: [1, 0, 0, 1], outputSizes: [3, 4] },
];

for (const [name, types] of POOLS) {
  Deno.test(`${name} agrees with the reference in edge cases`, async () => {
    for (const dataType of types) {
      for (const layout of ["nchw", "nhwc"]) {
        const operands = valuesOf(dataType, { input: layout === "nchw" ? [2, 3, 5, 6] : [2, 5, 6, 3] });
        for (const attributes of EDGE_CASES) await assertAgrees(name, operands, { ...attributes, layout });
      }
    }
  });

  Deno.test(`${name} agrees with the reference on random windows, seed ${SEED}`, async () => {
    const next = random(SEED);
    for (let i = 0; i < 60; i++) {
      const [height, width] = [next.integer(1, 6), next.integer(1, 6)];
      const padding = Array.from({ length: 4 }, () => next.integer(0, 3));
      const sides = [height + padding[0]! + padding[1]!, width + padding[2]! + padding[3]!];
      const windowDimensions = sides.map((size) => next.integer(1, Math.min(size, 4)));
      const dilations = sides.map((size, side) =>
        windowDimensions[side] === 1 ? 2 : next.integer(1, Math.floor((size - 1) / (windowDimensions[side]! - 1)))
      );
      const strides = [next.integer(1, 4), next.integer(1, 4)];
      const attributes = {
        windowDimensions,
        padding,
        strides,
        dilations,
        outputShapeRounding: next.pick(["floor", "ceil"]),
      };
      const dataType = next.pick(types);
      await assertAgrees(name, valuesOf(dataType, { input: [1, 2, height, width] }, i), attributes);
    }
  });
}

Deno.test("the result of a pool window that only contains padding is 0", async () => {
  const input = tensor("float32", [1, 1, 1, 1], [-7]);
  const attributes = { windowDimensions: [1, 1], padding: [1, 0, 0, 1] };
  for (const [name, value] of [["averagePool2d", -7], ["l2Pool2d", 7], ["maxPool2d", -7]] as const) {
    const [output] = await runOperator(await sharedContext(), name, { input }, attributes);
    assertEquals(output!.data, [0, 0, value, 0], name);
  }
});

Deno.test("averagePool2d does not count padding", async () => {
  const input = tensor("float32", [1, 1, 2, 2], [1, 2, 3, 4]);
  const attributes = { windowDimensions: [2, 2], padding: [1, 1, 1, 1] };
  const [output] = await runOperator(await sharedContext(), "averagePool2d", { input }, attributes);
  assertEquals(output!.data, [1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4]);
});

Deno.test("maxPool2d of 64-bit integers is exact", async () => {
  const elements = [2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n];
  const input = tensor("int64", [1, 1, 2, 2], elements);
  const context = await sharedContext();
  assertEquals((await runOperator(context, "maxPool2d", { input }))[0]!.data, [2n ** 63n - 1n]);
  const [rows] = await runOperator(context, "maxPool2d", { input }, { windowDimensions: [1, 2] });
  assertEquals(rows!.data, [2n ** 53n + 1n, 2n ** 63n - 1n]);
});

Deno.test("zeros from a pad before a pool count as elements, for any amount of padding", async () => {
  const context = await sharedContext();
  const input = tensor("float32", [1, 1, 2, 2], [-1, -2, -3, -4]);
  for (const rows of [1, 2, 3]) {
    for (const own of [{}, { padding: [1, 0, 0, 0] }]) {
      const window = { windowDimensions: [2, 2], ...own };
      const padding = { beginningPadding: [0, 0, rows, 0], endingPadding: [0, 0, 0, 0] };
      const padded = evaluate("pad", { input }, padding)[0]!;
      for (const [name] of POOLS) {
        const builder = await newBuilder();
        const x = builder.input("x", { dataType: "float32", shape: [1, 1, 2, 2] });
        const output = builder[name](builder.pad(x, padding.beginningPadding, padding.endingPadding), window);
        const [actual] = await runGraph(context, builder, { x: input }, [output]);
        assertEquals(
          difference(name, actual!, evaluate(name, { input: padded }, window)[0]!),
          undefined,
          `${name} ${rows}`,
        );
      }
    }
  }
});
