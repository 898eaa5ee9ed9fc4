/** Destroys a context during a run and during a build, and tells how long it takes until the engine has let go. */
import { buildSlow, dispatch } from "./slow.ts";

const name = (error: unknown) => (error as DOMException).name;
const slow = await buildSlow(300);
dispatch(slow);
const started = performance.now();
await slow.context.readTensor(slow.output);
const whole = performance.now() - started;

dispatch(slow);
const reading = slow.context.readTensor(slow.output).catch(name);
await new Promise((resolve) => setTimeout(resolve, 20));
const began = performance.now();
slow.context.destroy();
const destroy = performance.now() - began;
const rejected = await reading;
const settled = performance.now() - began;
await slow.context[Symbol.asyncDispose]();
const released = performance.now() - began;
console.log(JSON.stringify({ whole, node: whole / 300, destroy, settled, released, rejected }));
