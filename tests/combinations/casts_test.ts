/** Consecutive casts: ONNX Runtime removes some of them, and thereby the rounding that they do. */

import { assertEquals } from "@std/assert";
import { MLGraphBuilder } from "@webnn/deno";
import { DATA_TYPES, isFloat, type MLOperandDataType } from "../../src/data_type.ts";
import { type RefTensor, tensor } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { runGraph } from "../support/run_operator.ts";

/** Numbers that float16, float32, 8-bit or 16-bit integers cannot represent, and some that they can. */
const NUMBERS = [0, 1, -1, 1.5, 33.33, 98.98, 99.49, 127.9, 254.99, 300, 2049, 2051.5, 4097, 65535, 70000, 16777217];

type Layer = (builder: MLGraphBuilder, x: ReturnType<MLGraphBuilder["cast"]>) => ReturnType<MLGraphBuilder["cast"]>;

/** Casts a tensor to each of the types, one after another. `between` adds operators before each cast but the first. */
async function castAll(input: RefTensor, types: readonly MLOperandDataType[], between: Layer = (_, x) => x) {
  const builder = new MLGraphBuilder(await sharedContext());
  const { dataType, shape } = input as RefTensor & { dataType: MLOperandDataType };
  let y = builder.input("x", { dataType, shape });
  types.forEach((type, i) => y = builder.cast(i === 0 ? y : between(builder, y), type));
  return (await runGraph(await sharedContext(), builder, { x: input }, [y]))[0]!;
}

/** The numbers that a type can represent; integers are truncated. */
function numbersOf(dataType: MLOperandDataType): RefTensor {
  const isRepresentable = (x: number) => dataType !== "float16" || x < 65504;
  const numbers = NUMBERS.filter(isRepresentable).map((x) => isFloat(dataType) ? x : Math.trunc(x));
  return tensor(dataType, [numbers.length], numbers);
}

for (const first of DATA_TYPES) {
  Deno.test(`two casts of ${first} in one graph equal two graphs with one cast each`, async () => {
    const x = numbersOf(first);
    const failures: string[] = [];
    for (const second of DATA_TYPES) {
      const middle = await castAll(x, [second]);
      // Casts of infinite or too large numbers to integers are not defined.
      if (middle.data.some((x) => Math.abs(Number(x)) > 2 ** 62)) continue;
      for (const third of DATA_TYPES) {
        const [alone, together] = [await castAll(middle, [third]), await castAll(x, [second, third])];
        if (`${alone.data}` !== `${together.data}`) {
          failures.push(`${second}, ${third}: ${together.data}, not ${alone.data}`);
        }
      }
    }
    assertEquals(failures, []);
  });
}

Deno.test("a cast to float16 is kept before a cast to 8 bits, even with operators in between that only move elements", async () => {
  const layers: Readonly<Record<string, Layer>> = {
    identity: (builder, x) => builder.identity(x),
    reshape: (builder, x) => builder.reshape(x, [3, 1]),
    transpose: (builder, x) => builder.transpose(builder.reshape(x, [1, 3])),
  };
  const x = tensor("float32", [3], [98.98, 1.5, 99.99]);
  for (const [name, layer] of Object.entries(layers)) {
    assertEquals((await castAll(x, ["float16", "uint8"], layer)).data, [99, 1, 100], name);
  }
});
