/**
 * Writes the package of a graph with 500 MB of weights. The weights are in memory before. Prints by how many bytes the
 * peak of the resident memory rose.
 */
import { createMLContext } from "../../../src/api/ml_context.ts";
import { MLGraphBuilder, type MLOperand } from "../../../mod.ts";
import type { ConstantBlock } from "../../../src/backends/coreml/constant_block.ts";
import { lower } from "../../../src/backends/coreml/lower.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { savePackage } from "../files.ts";
import { openInterpretedDevice } from "../interpreted_device.ts";

const [folder] = Deno.args as [string];
const SIZE = 2500;
const LAYERS = 20;

const options = { specificationVersion: 8, float16: false } as const;
const context = createMLContext({
  ...openInterpretedDevice(options),
  async compile(graph) {
    await savePackage(lower(graph as Graph<ConstantBlock>, options).program, folder);
    return { devices: [], release() {}, run() {} };
  },
});
const builder = new MLGraphBuilder(context);
let y: MLOperand = builder.input("x", { dataType: "float32", shape: [1, SIZE] });
const weights = new Float32Array(SIZE * SIZE);
for (let i = 0; i < LAYERS; i++) {
  const weight = builder.constant({ dataType: "float32", shape: [SIZE, SIZE] }, weights.fill(i));
  y = builder.relu(builder.matmul(y, weight));
}
Deno.writeTextFileSync("/proc/self/clear_refs", "5"); // Resets the peak.
const before = peak();
await builder.build({ y });
console.log(peak() - before);

/** The peak resident memory. */
function peak(): number {
  return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
}
