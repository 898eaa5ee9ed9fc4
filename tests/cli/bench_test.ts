/** `webnn bench` and `webnn compile`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BackendRow, compareBackends, type Limits } from "../../cli/bench/backends.ts";
import { SILENT, webnn } from "../support/terminal.ts";
import { LINEAR, NEGATED_RESHAPE, temporaryFolder } from "./files.ts";

Deno.test("bench measures each device and number of threads, compares another engine, and recommends a device", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const args = ["bench", model, "--threads", "1,2", "--against", "onnxruntime-node", "--json"];
  const { status, stdout, stderr } = await webnn(...args);
  assertEquals([status, stderr], [0, ""]);
  const { results, median, recommended } = JSON.parse(stdout);
  const names = results.map(({ device, threads }: { device: string; threads: number }) => [device, threads]);
  assertEquals(names, [["cpu", 1], ["onnxruntime-node", 1], ["cpu", 2], ["onnxruntime-node", 2]]);
  for (const row of results) {
    for (const figure of ["load", "first", "median", "p25", "p75", "ops"]) {
      assert(row[figure] > 0, `${figure}: ${stdout}`);
    }
    assert(row.p25 <= row.median && row.median <= row.p75 && row.runs >= 10, stdout);
    assertEquals(row.error, 0);
  }
  const ours = results.filter(({ device }: { device: string }) => device === "cpu");
  assertEquals(median, Math.min(...ours.map((row: { median: number }) => row.median)));
  assertEquals(recommended.device, "cpu");
});

Deno.test("bench names a device that fails and the reason, measures the others, and ends with status 1", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const { status, stdout, stderr } = await webnn("bench", model, "--device", "cpu,nosuch", "--threads", "1");
  assertEquals(status, 1);
  assertEquals(stderr, "webnn bench: failed: nosuch with 1 thread\n");
  assertMatch(stdout, /^cpu +1 +cpu \(cpu\) [\d.]+ /m);
  assertMatch(stdout, /^nosuch +1 +failed: .*nosuch/m);
  assertMatch(stdout, /^Choose cpu with 1 thread$/m);
});

Deno.test("bench prints the reason why the only device fails once", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const { status, stdout, stderr } = await webnn("bench", model, "--device", "nosuch");
  assertEquals([status, stdout], [1, ""]);
  assertMatch(stderr, /^webnn bench: nosuch: .*nosuch.*\n$/);
});

Deno.test("compile asks for inputs whose elements determine shapes, and stores no graph for random ones", async () => {
  using folder = temporaryFolder();
  const model = folder.write("reshape.onnx", NEGATED_RESHAPE);
  const cache = join(folder.path, "cache");
  const refused = await webnn("compile", model, "--cache", cache);
  assertEquals([refused.status, existsSync(cache) && [...Deno.readDirSync(cache)].length > 0], [1, false]);
  assertMatch(refused.stderr, /reshape\.onnx: shapes depend on the elements of to; give them with --input to=FILE\n$/);
  const to = folder.write("to.json", "[3, 2]");
  const { status, stdout } = await webnn("compile", model, "--cache", cache, "--input", `to=${to}`, "--json");
  assertEquals([status, JSON.parse(stdout).files.length], [0, 1]);
});

Deno.test("compile writes the graph to the cache folder once; the second time it adds nothing", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const cache = join(folder.path, "cache");
  const compile = async () => JSON.parse((await webnn("compile", model, "--cache", cache, "--json")).stdout);
  const [first, second] = [await compile(), await compile()];
  assertEquals([first.files.length, second.files.length, second.bytes], [1, 0, 0]);
  assertEquals(first.bytes, Deno.statSync(join(cache, first.files[0])).size);
});

Deno.test("bench --backend compares backends by benchmark, and names what actually ran and the fastest", async () => {
  const args = ["bench", "--backend", "cpu,coreml", "--benchmark", "convolution"];
  const [json, text] = [await webnn(...args, "--json"), await webnn(...args)];
  const { results: [cpu, coreml], winners } = JSON.parse(json.stdout);
  assertEquals([cpu.backend, cpu.success, cpu.error, winners.convolution], ["cpu", 1, 0, "cpu"]);
  assert(cpu.mean > 0 && Math.abs(cpu.ops - 1000 / cpu.mean) < 1e-6);
  assertMatch(cpu.device, /^onnxruntime cpu \(cpu\) \d/);
  if (Deno.build.os !== "darwin") assertEquals([coreml.success, coreml.mean], [0, undefined]);
  assertMatch(text.stdout, /^convolution +cpu +[\d.]+ +[\d.]+ +100 % .*onnxruntime/m);
});

Deno.test("bench --backend limits the time of each benchmark, and reports in its row that it is too slow", async () => {
  const terminal = SILENT;
  const rowWith = async (limits: Limits) => {
    const { data, text } = await compareBackends(terminal, ["cpu"], ["convolution"], limits);
    return { row: (data as { results: BackendRow[] }).results[0]!, text };
  };
  const { row: stopped, text } = await rowWith({ budget: 0, limit: 60 });
  assertEquals([stopped.success, stopped.mean], [0, undefined]);
  assertEquals(stopped.reason, "too slow: stopped after 0 of 100 operations, at 0 s");
  assertMatch(text, /onnxruntime cpu .*; too slow: stopped/);
  const { row: ended } = await rowWith({ budget: 20, limit: 0.01 });
  assertEquals([ended.success, ended.reason], [0, "too slow: there was no answer after 0.01 s"]);
});

for (
  const [args, complaint] of [
    [["model.onnx", "--backend", "cpu"], "--backend and --benchmark take no MODEL; use --device"],
    [["--backend", "tpu"], '--backend accepts cpu, gpu, coreml, all; not "tpu"'],
    [["--benchmark", "sorting"], '--benchmark accepts matrix, convolution, transformer, all; not "sorting"'],
    [["model.onnx", "--against", "magic"], '--against accepts onnxruntime-node; not "magic"'],
  ] as const
) {
  Deno.test(`webnn bench ${args.join(" ")}: wrong usage`, async () => {
    assertEquals(await webnn("bench", ...args), { status: 2, stdout: "", stderr: `webnn bench: ${complaint}\n` });
  });
}
