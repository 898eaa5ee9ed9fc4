/** A worker with 64 MB of tensors, which throws or closes itself, as the message says. */
import "@webnn/deno/polyfill";
import { buildSlow, dispatch } from "./slow.ts";
import { scope } from "./worker_scope.ts";

scope.onmessage = async ({ data }) => {
  const slow = await buildSlow(2);
  const tensors = [];
  for (let i = 0; i < 16; i++) {
    tensors.push(await slow.context.createTensor({ dataType: "float32", shape: [1 << 20] }));
  }
  dispatch(slow);
  await slow.context.readTensor(slow.output);
  if (data === "throw") throw new Error(`thrown with ${tensors.length} tensors`);
  scope.postMessage("closed");
  scope.close();
};
