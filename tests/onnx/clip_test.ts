/** Clip with bounds that are NaN, or in the wrong order: the values that ONNX Runtime gives. */
import { assertEquals } from "@std/assert";
import { floats, load, node, run } from "./specs.ts";

const X = [-2, 0.5, 2, NaN];

for (
  const [what, low, high, expected] of [
    ["no lower bound", NaN, 1, [-2, 0.5, 1, NaN]],
    ["no upper bound", -1, NaN, [-1, 0.5, 2, NaN]],
    ["no bounds", NaN, NaN, X],
    ["a lower bound above the upper one", 1, -1, [-1, -1, -1, NaN]],
  ] as const
) {
  for (const kind of ["constant", "computed"] as const) {
    Deno.test(`Clip with ${what}, ${kind}`, async () => {
      const bounds = [floats("low", [low], []), floats("high", [high], [])];
      const inputs = ["low", "high"].map((name) => ({ name, shape: [] }));
      using model = await load({
        nodes: [node("Clip", "x low high", "y")],
        inputs: [{ name: "x", shape: [4] }, ...kind === "computed" ? inputs : []],
        outputs: [{ name: "y" }],
        initializers: kind === "constant" ? bounds : [],
      });
      const values = { low: Float32Array.of(low), high: Float32Array.of(high) };
      const { y } = await run(model, { x: Float32Array.from(X), ...kind === "computed" ? values : {} });
      assertEquals(y!.data, [...expected]);
    });
  }
}
