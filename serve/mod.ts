/**
 * Serves ONNX models over HTTP: a handler of the Open Inference Protocol v2 for `Deno.serve`, or any other server with
 * handlers that map a Request to a Response.
 *
 * @example
 * ```ts ignore
 * import { createHandler } from "@webnn/serve";
 *
 * await using handler = await createHandler(["squeezenet.onnx"]);
 * await Deno.serve({ hostname: "127.0.0.1", port: 8080 }, handler).finished;
 * ```
 *
 * @module
 */

export { createHandler, type HandlerOptions, type InferenceHandler } from "./handler.ts";
export type { ModelSource, RunOptions } from "./options.ts";
