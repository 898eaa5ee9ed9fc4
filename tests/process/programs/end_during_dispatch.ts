/** Ends during a dispatch, in the way that its argument names. */
import { buildSlow, dispatch } from "./slow.ts";

const slow = await buildSlow(60);
dispatch(slow);
switch (Deno.args[0]) {
  case "exit":
    setTimeout(() => Deno.exit(7), 5);
    break;
  case "throw":
    setTimeout(() => {
      throw new Error("thrown during a dispatch");
    }, 5);
    break;
  case "reject":
    setTimeout(() => Promise.reject(new Error("rejected during a dispatch")), 5);
    break;
  case "end":
    // Nothing is awaited: the end waits for the queued work by itself.
    slow.context.readTensor(slow.output).then(() => console.log("read"));
}
