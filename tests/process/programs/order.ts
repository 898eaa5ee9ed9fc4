/**
 * Write A, a slow dispatch, write B, a trivial dispatch, reads: they are not awaited one by one, but happen in order.
 */
import { MLGraphBuilder } from "@webnn/deno";
import { buildSlow, dispatch } from "./slow.ts";

const slow = await buildSlow(40);
const { context, input, output } = slow;
const descriptor = { dataType: "float32", shape: input.shape } as const;
const builder = new MLGraphBuilder(context);
const trivial = await builder.build({ y: builder.add(builder.input("x", descriptor), builder.constant("float32", 1)) });
const result = await context.createTensor({ ...descriptor, readable: true });

const data = new Float32Array(512 * 512);
context.writeTensor(input, data.fill(3));
dispatch(slow);
context.writeTensor(input, data.fill(5));
context.dispatch(trivial, { x: input }, { y: result });
const [a, b, c] = await Promise.all([output, result, input].map((tensor) => context.readTensor(tensor)));
console.log([a, b, c].map((buffer) => new Float32Array(buffer!)[100]).join(" "));
