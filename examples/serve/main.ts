/**
 * Serves models on all cores: `WEBNN_MODELS=a.onnx,b.onnx deno serve --parallel -A examples/serve/main.ts`.
 *
 * Each worker of `deno serve` loads the models and runs them on one thread. DENO_JOBS sets the number of workers.
 *
 * @module
 */
import { createHandler } from "@webnn/serve";

const models = Deno.env.get("WEBNN_MODELS")?.split(",") ?? [];
if (models.length === 0) throw new Error("WEBNN_MODELS must name the models, separated by commas");
const batch = Number(Deno.env.get("WEBNN_BATCH") ?? 1);
const handler = await createHandler(models, { context: { threads: 1 }, instances: 1, batch });

export default {
  fetch: (request) => handler(request),
} satisfies Deno.ServeDefaultExport;
