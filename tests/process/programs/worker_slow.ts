/** A worker that runs slow graphs until it is ended. */
import { buildSlow, dispatch } from "./slow.ts";

const slow = await buildSlow(20);
self.postMessage("ready");
self.onmessage = ({ data }) => {
  if (data === "throw") throw new Error("thrown in a worker during a dispatch");
  if (data === "close") self.close();
};
for (;;) {
  dispatch(slow);
  await slow.context.readTensor(slow.output);
  self.postMessage("done");
}
