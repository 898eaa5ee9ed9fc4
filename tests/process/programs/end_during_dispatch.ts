/** Ends during a dispatch. The first argument is how, the second is the delay in milliseconds. */
import { buildSlow, dispatch } from "./slow.ts";

const delay = Number(Deno.args[1] ?? 5);
const slow = await buildSlow(60);
dispatch(slow);
switch (Deno.args[0]) {
  case "exit":
    setTimeout(() => Deno.exit(7), delay);
    break;
  case "throw":
    setTimeout(() => {
      throw new Error("thrown during a dispatch");
    }, delay);
    break;
  case "reject":
    setTimeout(() => Promise.reject(new Error("rejected during a dispatch")), delay);
    break;
  case "end":
    // Nothing is awaited: the process waits for the queued work before it ends.
    slow.context.readTensor(slow.output).then(() => console.log("read"));
}
