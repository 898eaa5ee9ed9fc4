/** The compile cache: it is used, it never changes a result, and if it fails, graphs are built without it. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { createContext, type MLContext, type MLGraph, MLGraphBuilder } from "../../mod.ts";
import { MODULE_VERSION, nameOf, sourceOfGraph } from "../../src/backends/onnxruntime/compile_cache/key.ts";
import { openCpu } from "../../src/backends/onnxruntime/mod.ts";
import { HASH_BYTES } from "../../ffi/memory_hash.ts";
import { NativeBlock } from "../../src/backends/onnxruntime/native_block.ts";
import { openRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import type { Graph } from "../../src/graph/graph.ts";
import config from "../../deno.json" with { type: "json" };
import { runChild } from "../../support/child.ts";
import { HEIGHT, product, productOfOnes, weightsOf, WIDTH } from "./product.ts";
import { ownOptions } from "../../src/options.ts";

const PROGRAM = new URL("programs/cached_build.ts", import.meta.url);

/** Registers a test with its own folder, and a context that uses this folder as its cache. */
function test(name: string, body: (folder: string, context: MLContext) => Promise<void>): void {
  Deno.test(`compile cache: ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    const context = await createContext({ device: "cpu", threads: 1, cacheDirectory: folder });
    try {
      await body(folder, context);
    } finally {
      context.destroy();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function build(context: MLContext, scale: number, weights = weightsOf(scale)): Promise<void> {
  const graph = await product(new MLGraphBuilder(context), scale, weights);
  assertEquals(await run(context, graph), productOfOnes(weights));
  graph.destroy();
}

async function run(context: MLContext, graph: MLGraph): Promise<number[]> {
  const x = await context.createTensor({ dataType: "float32", shape: [1, HEIGHT], writable: true });
  const y = await context.createTensor({ dataType: "float32", shape: [1, WIDTH], readable: true });
  context.writeTensor(x, new Float32Array(HEIGHT).fill(1));
  context.dispatch(graph, { x }, { y });
  const values = [...new Float32Array(await context.readTensor(y))];
  x.destroy();
  y.destroy();
  return values;
}

/** A text that changes when a file is replaced: inode number and creation time, because inode numbers are reused. */
async function identity(path: string): Promise<string> {
  const { ino, birthtime } = await Deno.lstat(path);
  return `${ino} ${birthtime?.getTime()}`;
}

async function entries(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.sort().map((name) => join(folder, name));
}

async function onlyEntry(folder: string): Promise<string> {
  const paths = await entries(folder);
  assertEquals(paths.length, 1, paths.join(" "));
  return paths[0]!;
}

test("a graph is stored once, and then loaded", async (folder, context) => {
  await build(context, 1);
  const path = await onlyEntry(folder);
  const before = await identity(path);
  await build(context, 1);
  const { code, stdout, stderr } = await runChild(PROGRAM, [folder], ["-A"]);
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: JSON.stringify(productOfOnes(weightsOf(1))), stderr: "" });
  assertEquals([await onlyEntry(folder), await identity(path)], [path, before]);
});

test("without a folder nothing is cached", async (folder) => {
  const context = await createContext({ device: "cpu", threads: 1 });
  await build(context, 1);
  context.destroy();
  assertEquals(await entries(folder), []);
});

test("WEBNN_CACHE_DIR names the folder if the option is not set", async (folder) => {
  const source = PROGRAM.href.replace(/cached_build\.ts$/, "environment_build.ts");
  const { code, stderr } = await runChild(new URL(source), [], ["-A"], { WEBNN_CACHE_DIR: folder });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  await onlyEntry(folder);
});

test("graphs with other weights, shapes or labels have other entries", async (folder, context) => {
  await build(context, 1);
  await build(context, 2);
  for (const label of ["a", "b"]) {
    const builder = new MLGraphBuilder(context);
    const x = builder.input("x", { dataType: "float32", shape: [2] });
    (await builder.build({ y: builder.relu(x, { label }) })).destroy();
  }
  assertEquals((await entries(folder)).length, 4);
});

test("weights that differ in one element at any position have other entries", async (folder, context) => {
  const weights = weightsOf(1);
  await build(context, 1, weights);
  const positions = [0, 1, 77, weights.length >> 1, weights.length - 1];
  for (const position of positions) {
    const others = weights.slice();
    others[position]! += 20;
    await build(context, 1, others);
  }
  assertEquals((await entries(folder)).length, 1 + positions.length);
});

/** Ways to damage a file. */
const damages: Record<string, (path: string) => Promise<void>> = {
  "is empty": (path) => Deno.truncate(path, 0),
  "lacks its last byte": async (path) => Deno.truncate(path, (await Deno.stat(path)).size - 1),
  "lacks its first 64 KiB": async (path) => Deno.writeFile(path, (await Deno.readFile(path)).subarray(65536)),
  "lacks its second half": async (path) => Deno.truncate(path, (await Deno.stat(path)).size >> 1),
  "is longer": (path) => Deno.writeFile(path, new Uint8Array(65536), { append: true }),
  "is a text": (path) => Deno.writeTextFile(path, "not a model\n".repeat(10_000)),
  "is zeros": async (path) => Deno.writeFile(path, new Uint8Array((await Deno.stat(path)).size)),
  "is a folder": async (path) => {
    await Deno.remove(path);
    await Deno.mkdir(join(path, "inner"), { recursive: true });
  },
  "is a link to nothing": async (path) => {
    await Deno.remove(path);
    await Deno.symlink(`${path}.nothing`, path);
  },
};
/** The size of the hashes of two constants. */
const HASHES = 2 * HASH_BYTES;
/** The size of the footer. */
const FOOTER = 40;
/** Positions in the file; negative ones count from the end. */
const flips = {
  "at the start of the model": 4,
  "inside of the model": 500,
  "in the zeros behind the model": 65535,
  "in the description": -(HASHES + FOOTER + 100),
  "at the start of the hashes": -(HASHES + FOOTER),
  "at the end of the hashes": -(FOOTER + 1),
  "in the format": -FOOTER + 6,
  "in the length": -FOOTER + 9,
  "in the last bits of the length": -FOOTER + 14,
  "in the length of the facts": -FOOTER + 17,
  "in the hash": -1,
};
for (const [where, position] of Object.entries(flips)) {
  damages[`has a flipped bit ${where}`] = async (path) => {
    const bytes = await Deno.readFile(path);
    bytes[position < 0 ? bytes.length + position : position]! ^= 4;
    await Deno.writeFile(path, bytes);
  };
}

for (const [what, damage] of Object.entries(damages)) {
  test(`an entry that ${what} is replaced`, async (folder, context) => {
    await build(context, 1);
    const path = await onlyEntry(folder);
    await damage(path);
    const damaged = await identity(path);
    await build(context, 1);
    assertEquals(await onlyEntry(folder), path);
    const replaced = await identity(path);
    assertNotEquals(replaced, damaged);
    await build(context, 1);
    assertEquals(await identity(path), replaced);
  });
}

test("two entries with swapped names are replaced", async (folder, context) => {
  await build(context, 1);
  await build(context, 2);
  const [a, b] = await entries(folder) as [string, string];
  await Deno.rename(a, `${a}.moved`);
  await Deno.rename(b, a);
  await Deno.rename(`${a}.moved`, b);
  const before = await Promise.all([a, b].map(identity));
  await build(context, 1);
  await build(context, 2);
  const after = await Promise.all([a, b].map(identity));
  assert(after.every((id, i) => id !== before[i]));
});

test("several processes at the same time all get the graph, and leave one entry", async (folder) => {
  const endings = await Promise.all([1, 2, 3].map(() => runChild(PROGRAM, [folder], ["-A"])));
  const expected = JSON.stringify(productOfOnes(weightsOf(1)));
  assertEquals(endings.map(({ stdout }) => stdout), [expected, expected, expected]);
  await onlyEntry(folder);
});

test("several builds of a graph at the same time in one process", async (folder, context) => {
  await Promise.all([1, 1, 2, 2, 1].map((scale) => build(context, scale)));
  assertEquals((await entries(folder)).length, 2);
});

test("if the entries are too large, the least recently used ones are deleted; other files stay", async (folder) => {
  await Deno.writeTextFile(join(folder, "notes.txt"), "mine");
  const old = join(folder, "left.webnn-tmp");
  await Deno.writeTextFile(old, "left behind");
  await Deno.utime(old, 0, 0);
  const context = await createContext({ device: "cpu", threads: 1, cacheDirectory: folder, cacheSizeLimit: 170_000 });
  const known: string[] = [];
  for (const scale of [1, 2]) { // Each entry has 67 KB.
    await build(context, scale);
    known.push((await entries(folder)).find((path) => path.endsWith(".webnn") && !known.includes(path))!);
    await Deno.utime(known.at(-1)!, scale, scale);
  }
  await build(context, 1); // It is used, so it is now the newest.
  await build(context, 3);
  context.destroy();
  const left = await entries(folder);
  assertEquals(known.map((path) => left.includes(path)), [true, false]);
  assertEquals(left.filter((path) => !path.endsWith(".webnn")), [join(folder, "notes.txt")]);
  assertEquals(left.length, 3);
});

test("an entry that is larger than the limit is not kept", async (folder) => {
  const context = await createContext({ device: "cpu", threads: 1, cacheDirectory: folder, cacheSizeLimit: 1000 });
  await build(context, 1);
  context.destroy();
  assertEquals(await entries(folder), []);
});

test("the limit must be a number that is not negative", async (folder) => {
  for (const cacheSizeLimit of [-1, NaN]) {
    await assertRejects(() => createContext({ cacheDirectory: folder, cacheSizeLimit }), TypeError, "cacheSizeLimit");
  }
});

test("a program without permissions builds without the cache", async (folder) => {
  const missing = join(folder, "missing");
  const { code, stderr } = await runChild(PROGRAM, [missing], ["--allow-ffi", "--no-prompt"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(await entries(folder), []);
});

test("a program without write permission uses existing entries, and adds none", async (folder, context) => {
  const flags = ["--allow-ffi", `--allow-read=${folder}`, "--no-prompt"];
  assertEquals((await runChild(PROGRAM, [folder], flags)).code, 0);
  assertEquals(await entries(folder), []);
  await build(context, 1);
  const path = await onlyEntry(folder);
  const before = await Deno.lstat(path);
  assertEquals((await runChild(PROGRAM, [folder], flags)).code, 0);
  assertEquals((await Deno.lstat(path)).mtime, before.mtime);
});

test("if the folder is a file, graphs are built without the cache", async (folder) => {
  const file = join(folder, "file");
  await Deno.writeTextFile(file, "mine");
  const context = await createContext({ device: "cpu", threads: 1, cacheDirectory: file });
  await build(context, 1);
  context.destroy();
  assertEquals(await Deno.readTextFile(file), "mine");
});

Deno.test({
  name: "compile cache: if the disk is full, graphs are built without the cache",
  ignore: Deno.build.os === "windows", // It has no file size limit, which simulates a full disk.
  async fn() {
    const folder = await Deno.makeTempDir();
    for (const blocks of [1, 129]) { // Writing fails in the model, and in the description. The unit is 512 bytes.
      const script = `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`;
      const deno = [Deno.execPath(), "run", "--quiet", "-A", "--no-check", PROGRAM.pathname, folder];
      const command = new Deno.Command("sh", { args: ["-c", script, "sh", ...deno] });
      const { code, stdout, stderr } = await command.output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), productOfOnes(weightsOf(1)));
      assertEquals(await entries(folder), []);
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("compile cache: the name changes with the graph, its weights, the library, its configuration and this module", async () => {
  const runtime = await openRuntime(undefined, 1);
  const blocks = [1, 2].map((scale) => NativeBlock.copy(runtime, new Uint8Array(weightsOf(scale).buffer)));
  const [block, other] = blocks as [NativeBlock, NativeBlock];
  const name = async (block: NativeBlock, label = "", changed = runtime, entries = {}) =>
    await nameOf(await sourceOfGraph(changed, productGraph(block, label), entries));
  const names = await Promise.all([
    name(block),
    name(other),
    name(block, "label"),
    name(block, "", { ...runtime, version: "1.0.0" }),
    name(block, "", runtime, { "session.disable_quant_qdq": "1" }),
  ]);
  assertEquals(new Set(names).size, names.length);
  assertEquals(await name(block), names[0]);
  assertEquals(MODULE_VERSION, config.version);
  for (const each of blocks) each.release();
});

/** The graph of relu(x · weights). */
function productGraph(block: NativeBlock, label = "", outputShape = [1, WIDTH]): Graph<NativeBlock> {
  const value = (id: number, shape: readonly number[]) => ({ id, dataType: "float32", shape } as const);
  const [x, factor, y] = [value(0, [1, HEIGHT]), value(1, [HEIGHT, WIDTH]), value(2, outputShape)];
  return {
    inputs: [{ name: "x", value: x }],
    constants: [{ value: factor, block, shared: false }],
    nodes: [{
      operator: "matmul",
      label,
      operands: { a: x, b: factor },
      attributes: {},
      outputs: [y],
    }],
    outputs: [{ name: "y", value: y }],
  };
}

test("if the engine rejects a graph, the error is the same with and without the cache", async (folder) => {
  const messages: string[] = [];
  for (const cacheDirectory of [undefined, folder]) {
    const device = await openCpu(ownOptions({ threads: 1, cacheDirectory }, "options"));
    const block = device.store(new Uint8Array(weightsOf(1).buffer)) as NativeBlock;
    const graph = productGraph(block, "wrong", [1, WIDTH + 1]);
    messages.push((await assertRejects(async () => await device.compile(graph), Error)).message);
    device.close();
  }
  assertEquals(messages[0], messages[1]);
  assertEquals(await entries(folder), []);
});

test("graphs without inputs, with 4-bit weights, with infinities, and of constant tensors", async (folder, context) => {
  const four = { dataType: "float32", shape: [4] } as const;
  const constant = await context.createConstantTensor(four, Float32Array.of(1, -2, 3, -4));
  const graphs: ((builder: MLGraphBuilder) => ReturnType<MLGraphBuilder["relu"]>)[] = [
    (builder) => builder.relu(builder.constant(four, Float32Array.of(1, -2, 3, -4))),
    (builder) => builder.relu(builder.constant(constant)),
    (builder) => builder.clamp(builder.constant(constant), { minValue: 0, maxValue: Infinity }),
    (builder) =>
      builder.relu(builder.dequantizeLinear(
        builder.constant({ dataType: "int4", shape: [4] }, Uint8Array.of(0xe1, 0xc3)),
        builder.constant({ dataType: "float32", shape: [1] }, Float32Array.of(1)),
        builder.constant({ dataType: "int4", shape: [1] }, Uint8Array.of(0)),
      )),
  ];
  const y = await context.createTensor({ ...four, readable: true });
  for (let round = 0; round < 2; round++) {
    for (const output of graphs) {
      const builder = new MLGraphBuilder(context);
      const graph = await builder.build({ y: output(builder) });
      context.dispatch(graph, {}, { y });
      assertEquals([...new Float32Array(await context.readTensor(y))], [1, 0, 3, 0]);
      graph.destroy();
    }
  }
  assertEquals((await entries(folder)).length, graphs.length - 1); // The first two are equal.
});

Deno.test({
  name: "compile cache: destroying a graph unmaps its file",
  ignore: Deno.build.os !== "linux", // Only Linux lists the mapped files of a process.
  async fn() {
    const folder = await Deno.makeTempDir();
    const context = await createContext({ device: "cpu", threads: 1, cacheDirectory: folder });
    const maps = async () =>
      (await Deno.readTextFile("/proc/self/maps")).split("\n").filter((line) => line.includes(folder));
    for (let round = 0; round < 2; round++) {
      const graph = await product(new MLGraphBuilder(context), 1);
      assertEquals((await maps()).length, 1);
      graph.destroy();
      await context.readTensor(await context.createTensor({ dataType: "float32", shape: [], readable: true }));
      assertEquals(await maps(), []);
    }
    context.destroy();
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("compile cache: a block may be released while another thread hashes it", async () => {
  const runtime = await openRuntime(undefined, 1);
  const bytes = new Uint8Array(8 * 2 ** 20).fill(7);
  const [released, kept] = [NativeBlock.copy(runtime, bytes), NativeBlock.copy(runtime, bytes)];
  const before = runtime.freedBytes;
  const hash = released.hash();
  released.release();
  assertEquals(runtime.freedBytes, before); // The memory is not freed yet.
  assertEquals(await hash, await kept.hash());
  assertEquals(runtime.freedBytes, before + bytes.byteLength);
  kept.release();
});
