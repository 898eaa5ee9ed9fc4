/** The event loop runs regularly while a model generates, although many graphs run on its thread. */
import { assert } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { blobSource } from "../../examples/chat/byte_source.ts";
import { createEvaluator, type Evaluator } from "../../examples/chat/evaluator.ts";
import { loadModel } from "../../examples/chat/model.ts";
import { stretchesOf } from "../support/thread_time.ts";
import { tinyFile } from "./tiny_model.ts";

const TOKENS = 200;
/** A stretch that belongs to generating, and not to a pause of the whole machine, is in each answer. */
const ANSWERS = 4;

Deno.test({
  name: "while 200 tokens are generated and the history grows, the event loop is never blocked for long",
  ignore: Deno.build.os !== "linux", // Other systems do not provide the CPU time of one thread.
  async fn() {
    const { bytes } = tinyFile({ architecture: "llama", types: ["Q4_1"], headType: "Q8_0" });
    const source = blobSource(new Blob([bytes]));
    const context = await createContext({ threads: 1 });
    const engine = { context, createBuilder: () => new MLGraphBuilder(context) };
    const model = await loadModel(engine, source, true);
    const generate = async (evaluator: Evaluator, count: number) => {
      for (let i = 0; i < count; i++) await evaluator.append([await evaluator.likeliest()]);
    };
    const shares: number[] = [];
    for (let i = 0; i < ANSWERS; i++) {
      const evaluator = await createEvaluator(model.network, 400);
      await evaluator.append([1, 2, 3]);
      await generate(evaluator, 40); // The first tokens also compile this program's code.
      const stretches = await stretchesOf(() => generate(evaluator, TOKENS));
      shares.push(Math.max(...stretches) / stretches.reduce((sum, time) => sum + time));
      evaluator.destroy();
    }
    assert(Math.min(...shares) < 0.1, `the longest stretches without a turn, as shares of the time: ${shares}`);
    model.destroy();
    context.destroy();
  },
});
