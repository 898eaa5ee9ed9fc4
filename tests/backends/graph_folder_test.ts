/** The folders in which a provider caches compiled graphs: one per graph. */
import { assert, assertEquals } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { captureGraph } from "../../bench/support/capture.ts";
import { lower } from "../../src/backends/onnxruntime/lower.ts";
import { graphFolder } from "../../src/backends/onnxruntime/providers/graph_folder.ts";

await (await createContext()).destroy(); // ONNX Runtime stays open until the process ends.

/** The name of the folder for the graph x + weights. */
async function folderOf(parent: string, weights: readonly number[], label = ""): Promise<string | undefined> {
  const descriptor = { dataType: "float32", shape: [weights.length] } as const;
  const { graph, runtime } = await captureGraph(async (context) => {
    const builder = new MLGraphBuilder(context);
    const constant = builder.constant(descriptor, Float32Array.from(weights));
    await builder.build({ y: builder.add(builder.input("x", descriptor), constant, { label }) });
  });
  const path = await graphFolder(runtime, parent, lower(graph), {});
  return path?.slice(parent.length + 1);
}

Deno.test("a graph always has the same folder, and another one if a single weight differs", async () => {
  const parent = `${await Deno.makeTempDir()}`;
  try {
    const weights = Array.from({ length: 1000 }, (_, i) => i);
    const others = weights.with(501, 501.5);
    const names = [];
    for (const values of [weights, weights, others]) names.push(await folderOf(`${parent}/new`, values));
    assertEquals(names[0], names[1]);
    assert(names[0] !== names[2]);
    const created = [...Deno.readDirSync(`${parent}/new`)].map(({ name }) => name);
    assertEquals(created.toSorted(), [names[0]!, names[2]!].toSorted());
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test({
  name: "without write permission there is no folder, and no prompt",
  permissions: { ffi: true, read: true, env: true, sys: true, write: false },
  async fn() {
    assertEquals(await folderOf("/nowhere", [1, 2]), undefined);
  },
});
