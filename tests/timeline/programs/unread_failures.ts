/** Checks that tensors whose dispatch failed are released if the program drops them without a read. */
import { MLGraphBuilder } from "@webnn/deno";
import { createMLContext } from "../../../src/api/ml_context.ts";
import { openSimulatedDevice } from "../../support/simulated_device.ts";

declare const gc: () => void;

const FAILURES = 20;
const FLOAT = { dataType: "float32", shape: [2] } as const;

const device = openSimulatedDevice(7);
const context = createMLContext(device);
const builder = new MLGraphBuilder(context);
const graph = await builder.build({ y: builder.relu(builder.input("x", FLOAT)) });
const x = await context.createTensor({ ...FLOAT, readable: true });
const before = device.live.size;

for (let i = 0; i < FAILURES; i++) {
  const y = await context.createTensor(FLOAT);
  device.fail("run", `failure ${i}`);
  context.dispatch(graph, { x }, { y });
  await context.readTensor(x); // The dispatch has failed by then.
}
for (let i = 0; i < 20 && device.live.size > before; i++) {
  gc();
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const held = device.live.size - before;
// V8 may still hold the last one in a register of the loop.
console.log(held <= 1 ? "released" : `${held} of ${FAILURES} tensors are held`);
Deno.exit();
