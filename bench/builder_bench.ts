/**
 * The throughput of the builder, and builds of the same graphs. Both should grow linearly with the number of operators.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { buildChain } from "./support/builder_throughput.ts";

const context = await navigator.ml.createContext();
for (const operators of [1000, 10_000]) {
  Deno.bench(
    `${operators} operators`,
    { group: "builder" },
    () => void buildChain(new MLGraphBuilder(context), operators),
  );
  Deno.bench(`${operators} operators`, { group: "builder and build()" }, async () => {
    const builder = new MLGraphBuilder(context);
    const graph = await builder.build({ x: buildChain(builder, operators) });
    graph.destroy();
  });
}
