// usage: [opts...] key=value session config; nopattern; noarena; trim
import "@webnn/deno/polyfill";
import { cString } from "../ffi/memory.ts";
import { trimHeap } from "../ffi/heap.ts";
import { createInference } from "../examples/inference.ts";
import { createMLContext } from "../src/api/ml_context.ts";
import type { OrtDevice } from "../src/backends/onnxruntime/device.ts";
import { openCpu } from "../src/backends/onnxruntime/mod.ts";
import { mobileNetV2 } from "./support/mobilenetv2.ts";
import { trivial } from "./support/trivial.ts";
const device = await openCpu({ threads: 1 }) as OrtDevice;
const { api } = device.runtime;
const create = api.CreateSessionOptions;
Object.assign(api, { CreateSessionOptions() {
  const o = create();
  for (const a of Deno.args) {
    if (a === "nopattern") api.DisableMemPattern(o);
    else if (a === "noarena") api.DisableCpuMemArena(o);
    else if (a.includes("=")) { const [k, v] = a.split("="); api.AddSessionConfigEntry(o, cString(k!), cString(v!)); }
  }
  return o;
}});
const libc = Deno.dlopen("libc.so.6", { mallinfo2: { parameters: [], result: { struct: Array(10).fill("usize") } } } as any);
function info(label: string) {
  const [arena, , , hblks, hblkhd, , fsm, uord, ford, keep] = [...new BigUint64Array(((libc.symbols as any).mallinfo2() as Uint8Array).buffer)].map(Number);
  console.log(label.padEnd(12), "arena", (arena! / 1e6).toFixed(1), "used", (uord! / 1e6).toFixed(1), "free", (ford! / 1e6).toFixed(1), "top", (keep!/1e6).toFixed(1), "mmapped", hblks, (hblkhd! / 1e6).toFixed(1), "rss/hwm", hwm().map((x) => x.toFixed(1)).join(" "));
}
const me = device.runtime.modelEditor as any;
const apply = me.ApplyModelToModelEditorSessionAsync, fin = me.FinalizeModelEditorSessionAsync, cm = me.CreateModel;
if (Deno.args.includes("v")) Object.assign(me, {
  CreateModel(...a: any[]) { info("constants"); return cm(...a); },
  async ApplyModelToModelEditorSessionAsync(...a: any[]) { info("model"); await apply(...a); info("applied"); },
  async FinalizeModelEditorSessionAsync(...a: any[]) { info("released"); await fin(...a); info("final"); },
});
const context = createMLContext(device);
const hwm = () => { const s = Deno.readTextFileSync("/proc/self/status"); return ["VmHWM","VmRSS"].map(f=>1024*Number(new RegExp(`${f}:\\s*(\\d+)`).exec(s)![1])/1e6); };
const reset = () => Deno.writeTextFileSync("/proc/self/clear_refs", "5");
const run = async (suite: any) => {
  const n = await suite.build(context);
  const b = hwm();
  const i = await createInference(context, n);
  suite.check((await i.run(suite.inputs))[suite.output]!);
  return [...b, ...hwm()];
};
await run(trivial);
const base = hwm()[1]!;
let m: any;
if (Deno.args.includes("lazy")) {
  const { lazy } = await import("./.hc_lazy.ts");
  const { buildMobileNetV2 } = await import("../examples/mobilenetv2.ts");
  const { mobileNetV2Weights } = await import("./support/mobilenetv2.ts");
  const w = lazy(mobileNetV2Weights());
  m = { build: (c: any) => buildMobileNetV2(c, w), inputs: { input: new Float32Array(3*224*224).fill(1) }, output: "features", check() {} };
} else if (Deno.args.includes("sync")) {
  const { parseSafetensors } = await import("../examples/safetensors.ts");
  const { buildMobileNetV2 } = await import("../examples/mobilenetv2.ts");
  const { mobileNetV2Weights } = await import("./support/mobilenetv2.ts");
  const f = Deno.openSync(mobileNetV2Weights()); const b = new Uint8Array(f.statSync().size);
  for (let d = 0; d < b.length;) d += f.readSync(b.subarray(d))!;
  const w = parseSafetensors(b);
  m = { build: (c: any) => buildMobileNetV2(c, w), inputs: { input: new Float32Array(3*224*224).fill(1) }, output: "features", check() {} };
} else m = await mobileNetV2();
if (Deno.args.includes("trim")) trimHeap();
if (Deno.args.includes("v")) info("loaded");
const loaded = hwm()[1]!;
reset();
const r = await run(m);
console.log(Deno.args.join(" ").padEnd(50), "loaded", (loaded - base).toFixed(1), "| over loaded: build peak, built, peak, end:", r.map((x) => (x - loaded).toFixed(1)).join(" "));
context.destroy();
