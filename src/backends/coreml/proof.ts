/**
 * Tests whether Core ML works with given compute units: runs a product and an element-wise operator.
 *
 * @module
 */

import type { Graph, Value } from "../../graph/graph.ts";
import type { ConstantBlock } from "./constant_block.ts";
import type { CoreMLDevice } from "./device.ts";

const DESCRIPTOR = { dataType: "float32", shape: [2, 2] } as const;
const INPUT = Float32Array.of(1, 2, -3, 4);
const OUTPUT = [0, 10, 0, 10];

/**
 * Runs a small graph on a device, then closes the device.
 * @throws if it cannot be compiled or run, or returns wrong results
 */
export async function prove(device: CoreMLDevice): Promise<void> {
  try {
    const executable = await device.compile(smallGraph());
    const tensors = [device.createTensor(DESCRIPTOR), device.createTensor(DESCRIPTOR)] as const;
    const [x, y] = tensors;
    try {
      x.write(new Uint8Array(INPUT.buffer));
      await executable.run([x], [y]);
      const output = [...new Float32Array(y.read().slice().buffer)];
      if (`${output}` !== `${OUTPUT}`) throw new Error(`Core ML computed [${output}], not [${OUTPUT}]`);
    } finally {
      for (const object of [executable, ...tensors]) object.release();
    }
  } finally {
    device.close();
  }
}

function smallGraph(): Graph<ConstantBlock> {
  const [x, product, y] = [0, 1, 2].map((id): Value => ({ ...DESCRIPTOR, id })) as [Value, Value, Value];
  const common = { label: "", attributes: {} };
  return {
    inputs: [{ name: "x", value: x }],
    constants: [],
    nodes: [
      { ...common, operator: "matmul", operands: { a: x, b: x }, outputs: [product] },
      { ...common, operator: "relu", operands: { input: product }, outputs: [y] },
    ],
    outputs: [{ name: "y", value: y }],
  };
}
