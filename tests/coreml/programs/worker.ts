/** A worker that dispatches a graph to Core ML once, posts "ready", and then waits or closes itself. */

import "@webnn/deno/polyfill";
import { createContext } from "@webnn/deno";

declare const self: { onmessage: (event: MessageEvent) => void; postMessage(message: string): void; close(): void };

self.onmessage = async ({ data: { library, cacheDirectory, idle, closes } }) => {
  Deno.env.set("WEBNN_COREML_FRAMEWORK", library);
  const context = await createContext({ backend: "coreml", fallback: false, cacheDirectory });
  const builder = new MLGraphBuilder(context);
  const descriptor = { dataType: "float32", shape: [4] } as const;
  const graph = await builder.build({ y: builder.relu(builder.input("x", descriptor)) });
  const x = await context.createTensor(descriptor);
  const y = await context.createTensor({ ...descriptor, readable: true });
  context.dispatch(graph, { x }, { y });
  const reading = context.readTensor(y).catch(() => {}); // Closing rejects it.
  if (idle) await reading;
  self.postMessage("ready");
  if (closes) self.close();
};
