/** Runs slow graphs until an interrupt; with the argument `listen`, until the third interrupt. */
import { buildSlow, dispatch } from "./slow.ts";

const slow = await buildSlow(30);
let interrupts = 0;
if (Deno.args[0] === "listen") {
  Deno.addSignalListener("SIGINT", () => {
    console.log(`interrupt ${++interrupts}`);
    if (interrupts === 3) Deno.exit(3);
  });
}
console.log("ready");
for (;;) {
  dispatch(slow);
  await slow.context.readTensor(slow.output);
}
