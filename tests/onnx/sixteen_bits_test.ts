/** 16-bit integers: operators that move or compare them are supported, operators that compute are rejected. */
import { assertEquals, assertRejects } from "@std/assert";
import { loadOnnx } from "@webnn/deno/onnx";
import { type NodeSpec, onnxFile, type PortSpec } from "../support/onnx_writer.ts";

const x: PortSpec = { name: "x", type: "int16", shape: [2, 2] };

function load(nodes: readonly NodeSpec[], output: PortSpec) {
  return loadOnnx(onnxFile({ nodes, inputs: [x], outputs: [output] }));
}

Deno.test("16-bit integers are moved, compared and cast", async () => {
  const nodes = [
    { op: "Transpose", inputs: ["x"], outputs: ["t"] },
    { op: "Max", inputs: ["t", "x"], outputs: ["m"] },
    { op: "Cast", inputs: ["m"], outputs: ["y"], attributes: { to: 1 } },
  ];
  using loaded = await load(nodes, { name: "y" });
  const { y: result } = await loaded.run({ x: Int32Array.of(-32768, 7, 32767, -1) });
  assertEquals([...result!.data], [-32768, 32767, 32767, -1]);
});

const REJECTED: Record<string, NodeSpec[]> = {
  "a sum": [{ op: "Add", inputs: ["x", "x"], outputs: ["y"] }],
  "a negation after a reshape": [
    { op: "Reshape", inputs: ["x", "shape"], outputs: ["r"] },
    { op: "Neg", inputs: ["r"], outputs: ["y"] },
  ],
  "a shift": [{ op: "BitShift", inputs: ["x", "x"], outputs: ["y"], attributes: { direction: "LEFT" } }],
  "a product with a constant": [{ op: "Mul", inputs: ["x", "c"], outputs: ["y"] }],
};

for (const [what, nodes] of Object.entries(REJECTED)) {
  Deno.test(`${what} of 16-bit integers is rejected`, async () => {
    for (const type of ["int16", "uint16"] as const) {
      const file = onnxFile({
        nodes,
        inputs: [{ ...x, type }],
        outputs: [{ name: "y", type }],
        initializers: [
          { name: "shape", type: "int64", shape: [1], data: [4n] },
          { name: "c", type, shape: [], data: [3] },
        ],
      });
      const reason = what === "a shift"
        ? `bitwise operators on ${type}`
        : "16-bit integers would wrap, but WebNN's int32 does not";
      await assertRejects(() => loadOnnx(file), DOMException, reason);
    }
  });
}

Deno.test("a sum after a cast to more bits is supported", async () => {
  const nodes = [
    { op: "Cast", inputs: ["x"], outputs: ["c"], attributes: { to: 6 } },
    { op: "Add", inputs: ["c", "c"], outputs: ["y"] },
  ];
  using loaded = await load(nodes, { name: "y", type: "int32" });
  const { y: result } = await loaded.run({ x: Int32Array.of(32767, 1, -32768, 0) });
  assertEquals([...result!.data], [65534, 2, -65536, 0]);
});

Deno.test("a remainder and bounds of 16-bit integers are supported", async () => {
  const nodes = [
    { op: "Mod", inputs: ["x", "c"], outputs: ["m"] },
    { op: "Clip", inputs: ["m", "c"], outputs: ["y"] },
  ];
  const initializers = [{ name: "c", type: "int16" as const, shape: [], data: [3] }];
  using loaded = await loadOnnx(
    onnxFile({ nodes, inputs: [x], outputs: [{ name: "y", type: "int16" }], initializers }),
  );
  const { y: result } = await loaded.run({ x: Int32Array.of(-32767, 8, 32767, 2) });
  assertEquals([...result!.data], [3, 3, 3, 3]);
});

Deno.test("a cast like a computed bool gives 0 and 1", async () => {
  const nodes = [
    { op: "Greater", inputs: ["x", "x"], outputs: ["g"] },
    { op: "CastLike", inputs: ["x", "g"], outputs: ["y"] },
  ];
  using loaded = await load(nodes, { name: "y", type: "bool" });
  const { y: result } = await loaded.run({ x: Int32Array.of(-32768, 0, 256, 1) });
  assertEquals([...result!.data], [1, 0, 1, 1]);
});
