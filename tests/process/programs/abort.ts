/** Destroys a context during a run and during a build. Prints how long it takes until the engine has released it. */
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { buildSlow, dispatch } from "./slow.ts";

const name = (error: unknown) => (error as DOMException).name;
const slow = await buildSlow(300);
dispatch(slow);
const started = performance.now();
await slow.context.readTensor(slow.output);
const run = performance.now() - started;

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

/**
 * Builds a long chain of operators. If `destroyAfter` is positive, destroys the context that many ms after the start.
 */
async function build(destroyAfter: number): Promise<{ ms: number; outcome: string }> {
  const context = await createContext({ threads: 1 });
  const builder = new MLGraphBuilder(context);
  let x = builder.input("x", { dataType: "float32", shape: [8] });
  for (let i = 0; i < 20_000; i++) x = builder.tanh(x);
  const building = builder.build({ x }).then(() => "built", name);
  let began = performance.now();
  if (destroyAfter > 0) {
    await new Promise((resolve) => setTimeout(resolve, destroyAfter));
    began = performance.now();
    context.destroy();
  }
  const outcome = await building;
  await context[Symbol.asyncDispose]();
  return { ms: performance.now() - began, outcome };
}

const fullBuild = await build(0);
const abortedBuild = await build(fullBuild.ms / 4);
console.log(JSON.stringify({
  rejected: [rejected, fullBuild.outcome, abortedBuild.outcome],
  run,
  node: run / 300,
  destroy,
  settled,
  released,
  build: fullBuild.ms,
  buildReleased: abortedBuild.ms,
}));
