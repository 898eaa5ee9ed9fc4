/**
 * The builder's own throughput: 10,000 operators, `build()` excluded.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { buildChain } from "./support/builder_throughput.ts";

const context = await navigator.ml.createContext();
for (const operators of [1000, 10_000]) {
  Deno.bench(`${operators} operators`, { group: "builder" }, () => void buildChain(context, operators));
}
