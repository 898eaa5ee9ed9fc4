/**
 * Optimiser steps over 1 M parameters. The state stays on the device: two sets of tensors alternate.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { optimizers } from "./support/optimizers.ts";
import { createTraining } from "./support/training.ts";

for (const optimizer of optimizers) {
  const training = await createTraining(await navigator.ml.createContext(), optimizer);
  await training.check(3);
  // 16 operators read and write 4 MB per operand, unless the engine fuses some.
  Deno.bench(
    { name: `${optimizer.name}: a step over 1,048,576 parameters, state on the device`, group: "optimisers" },
    async () => {
      training.step();
      await training.finished();
    },
  );
}
