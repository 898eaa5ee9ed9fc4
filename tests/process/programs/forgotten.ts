/**
 * Creates tensors and graphs of 4 MB that become unreachable, without forcing garbage collection. Prints the peak of
 * resident memory. The loop yields to the event loop, so that V8 can collect.
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";

const COUNT = 300;
const context = await createContext();
const descriptor = { dataType: "float32", shape: [1 << 20] } as const;
const data = new Float32Array(1 << 20).fill(1);
const rss = () => Deno.memoryUsage().rss / 2 ** 20;
const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 0));

async function peakOf(create: () => Promise<unknown>): Promise<number> {
  const before = rss();
  let peak = before;
  for (let i = 0; i < COUNT; i++) {
    await create();
    await nextTurn();
    peak = Math.max(peak, rss());
  }
  return Math.round(peak - before);
}

const tensors = await peakOf(() => context.createTensor(descriptor));
const graphs = await peakOf(() => {
  const builder = new MLGraphBuilder(context);
  return builder.build({ y: builder.mul(builder.input("x", descriptor), builder.constant(descriptor, data)) });
});
console.log(JSON.stringify({ tensors, graphs }));
