/** A worker that runs slow graphs until it ends. */
import { buildSlow, dispatch } from "./slow.ts";
import { scope } from "./worker_scope.ts";

const slow = await buildSlow(20);
scope.postMessage("ready");
scope.onmessage = ({ data }) => {
  if (data === "throw") throw new Error("thrown in a worker during a dispatch");
  if (data === "close") scope.close();
};
for (;;) {
  dispatch(slow);
  await slow.context.readTensor(slow.output);
  scope.postMessage("done");
}
