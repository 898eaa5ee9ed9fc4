import { createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { mobileNetV2 } from "./support/mobilenetv2.ts";
import { trivial } from "./support/trivial.ts";
import { complex } from "./support/complex.ts";
import { median } from "./support/statistics.ts";
const [which, n = "30", cache] = Deno.args;
const suite = which === "mobilenetv2" ? await mobileNetV2() : which === "complex" ? complex : trivial;
const context = await createContext({ threads: 1, device: "cpu", ...(cache ? { cacheDirectory: cache } : {}) });
const builds: number[] = [];
for (let i = 0; i < Number(n); i++) {
  const t = performance.now();
  const net = await suite.build(context);
  builds.push(performance.now() - t);
  net.graph.destroy();
}
builds.sort((a, b) => a - b);
console.log(which, "first", builds.at(-1)!.toFixed(2), "median", median(builds).toFixed(3), "p10", builds[Math.floor(builds.length / 10)]!.toFixed(3));
context.destroy();
