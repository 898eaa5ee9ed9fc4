/**
 * Tests `deno task data` with a local server that has the same files, so nothing is downloaded. The files of the real
 * servers were compared with the checksums by hand.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ending, runChild } from "../../support/child.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { testData, testWithData } from "../support/test_data.ts";
import { download } from "./download.ts";
import { OWN_FILES, REMOTE_FILES, WEIGHTS_FILES, WPT } from "./files.ts";
import { readNpy, safetensors } from "./weights.ts";
import { convertScripts, MINIMUM_DATA_TYPES, UTILITIES } from "./wpt_cases.ts";

/** A `.npy` file of float32. */
function npyFile(shape: readonly number[], data: Float32Array): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`.padEnd(117) + "\n";
  const file = new Uint8Array(10 + header.length + data.byteLength);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return file;
}

/** The files of the real server, created from the test data. */
async function remoteFiles(): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { path, address } of REMOTE_FILES) files.set(`/${address}`, await Deno.readFile(testData(path)));
  for (const file of WEIGHTS_FILES) {
    const weights = parseSafetensors(await Deno.readFile(testData(file.path)));
    for (const [name, { shape, data }] of weights) {
      if (file.computed?.[name] === undefined) files.set(`/${file.address(name)}`, npyFile(shape, data));
    }
  }
  return files;
}

/** Serves files, and supports ranges. If `answer` returns a response, it is used instead. */
function serve(files: ReadonlyMap<string, Uint8Array>, answer: (request: Request) => Response | undefined = () => {}) {
  const requests: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const path = new URL(request.url).pathname;
    requests.push(path);
    const bytes = files.get(path);
    const override = answer(request);
    if (override !== undefined) return override;
    if (bytes === undefined) return new Response("no", { status: 404 });
    const start = Number(/bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    if (start >= bytes.length && start > 0) return new Response(null, { status: 416 });
    return new Response(bytes.slice(start) as Uint8Array<ArrayBuffer>, { status: start > 0 ? 206 : 200 });
  });
  const origin = `http://127.0.0.1:${server.addr.port}/`;
  return { origin, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

function runData(folder: string, origin: string): Promise<Ending> {
  const flags = ["--config", fileURLToPath(new URL("../deno.json", import.meta.url)), "-A", "--no-check"];
  return runChild(new URL("main.ts", import.meta.url), ["--output", folder, "--origin", origin], flags);
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Scripts in the form of the web platform tests. */
const SCRIPTS = new Map([
  [
    UTILITIES,
    `
    let minimumDataTypeSet;
    function isMinimumTest({ graph }) {
      const [{ name }] = graph.operators;
      return minimumDataTypeSet[name].includes(Object.values(graph.inputs)[0].descriptor.dataType);
    }
    const buildAndExecuteGraph = undefined;
    async function webnn_conformance_test() { throw new Error("not to be called"); }`,
  ],
  [MINIMUM_DATA_TYPES, '{ "abs": ["float32"], "clamp": ["float32"] } // a comment'],
  [
    "webnn/conformance_tests/some_unary.https.any.js",
    `'use strict';
    const tests = [{
      'name': 'abs int64',
      'graph': {
        'inputs': { 'x': { 'data': [-(2 ** 63), 5n, -0], 'descriptor': { shape: [3], dataType: 'int64' }, 'constant': true } },
        'operators': [{ 'name': 'abs', 'arguments': [{ 'input': 'x' }], 'outputs': 'y' }],
        'expectedOutputs': { 'y': { 'data': [0, 5, 0], 'descriptor': { shape: [3], dataType: 'int64' } } },
      },
    }, {
      'name': 'clamp of abs',
      'graph': {
        'inputs': { 'x': { 'data': [-0, Infinity], 'descriptor': { shape: [2], dataType: 'float32' } } },
        'operators': [
          { 'name': 'clamp', 'arguments': [{ 'input': 'x', 'options': { 'maxValue': Infinity } }], 'outputs': 'a' },
          { 'name': 'abs', 'arguments': [{ 'input': 'a' }], 'outputs': 'y' },
        ],
        'expectedOutputs': { 'y': { 'data': [0, Infinity], 'descriptor': { shape: [2], dataType: 'float32' } } },
      },
    }];
    webnn_conformance_test(tests, buildAndExecuteGraph, (graph, intermediates) => ({
      metricType: 'ULP', value: intermediates.a?.shape[0] * 4,
    }));`,
  ],
]);

Deno.test("scripts of the web platform tests are converted to cases, including numbers that JSON does not have", () => {
  const cases = convertScripts(SCRIPTS);
  assertEquals(Array.from(cases, ([name, list]) => [name, list.length]), [["abs", 1], ["clamp", 1]]);
  const [abs, clamp] = [cases.get("abs")![0]!, cases.get("clamp")![0]!];
  assertEquals([abs.required, clamp.required], [false, true]);
  assertEquals(abs.graph.inputs.x, {
    data: ["-9223372036854775808", "5", "0"],
    descriptor: { shape: [3], dataType: "int64" },
    constant: true,
  });
  assertEquals(clamp.graph.inputs.x!.data, ["-0", "Infinity"]);
  assertEquals(clamp.graph.operators[0]!.arguments, [{ input: "x" }, {
    options: { maxValue: { $number: "Infinity" } },
  }]);
  // A tolerance that is not a number becomes 0. A tolerance may depend on the shapes of intermediate results.
  assertEquals([abs.tolerance.value, clamp.tolerance.value], [0, 8]);
});

const DATA = [...REMOTE_FILES, ...WEIGHTS_FILES].map(({ path }) => path);

testWithData(
  DATA,
  "deno task data creates the files of the test data, and keeps files that are already right",
  async () => {
    const files = await remoteFiles();
    const cases = { wptCommit: WPT.commit };
    const panda = `/${REMOTE_FILES.find(({ path }) => path.endsWith("red_panda.jpg"))!.address}`;
    await withFolder(async (folder) => {
      // The test data does not contain the scripts of the web platform tests, so these cases exist from the start.
      await Deno.mkdir(join(folder, "wpt/cases"), { recursive: true });
      await Deno.writeTextFile(join(folder, "wpt/cases/INDEX.json"), JSON.stringify(cases));
      {
        await using wrong = serve(new Map(files).set(panda, new Uint8Array(10)));
        const { code, stderr } = await runData(folder, wrong.origin);
        assertEquals(code, 1);
        assertStringIncludes(stderr, `data: ${wrong.origin}${panda.slice(1)} has the SHA-256 `);
        assert(existsSync(join(folder, "models/imagenet_labels.txt")));
        assert(!existsSync(join(folder, "models/images/red_panda.jpg")));
      }
      await using right = serve(files);
      const { code, stdout, stderr } = await runData(folder, right.origin);
      assertEquals([code, stderr], [0, ""]);
      assertEquals(stdout.split("\n").map((line) => line.split(/\s+/)[0]), [
        ...Array(OWN_FILES.length + 1).fill("kept"),
        ...Array(DATA.length - 1).fill("written"),
        "kept", // wpt/cases/
      ]);
      for (const path of DATA) {
        assertEquals(await Deno.readFile(join(folder, path)), await Deno.readFile(testData(path)), path);
      }
      assertEquals(right.requests.length, files.size - 1);
      const left = Array.from(Deno.readDirSync(join(folder, "models")), ({ name }) => name);
      assertEquals(left.filter((name) => /\.(part|new|download|tensors)$/.test(name)), []);
    });
  },
);

testWithData(OWN_FILES, "the copies in the repository equal the files of the test data", async () => {
  for (const path of OWN_FILES) {
    const own = await Deno.readTextFile(new URL(`files/${path}`, import.meta.url));
    assertEquals(JSON.parse(own), JSON.parse(await Deno.readTextFile(testData(path))), path);
  }
});

Deno.test("a download continues where it was interrupted", () =>
  withFolder(async (folder) => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    let isFirst = true;
    await using server = serve(new Map([["/file", bytes]]), () => {
      if (!isFirst) return undefined;
      isFirst = false;
      let sent = false;
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (sent) return controller.error(new Error("cut"));
            sent = true;
            controller.enqueue(bytes.slice(0, 60_000));
          },
        }),
      );
    });
    const file = join(folder, "a/file");
    await assertRejects(() => download(`${server.origin}file`, file), Error, "run it again to continue");
    const kept = (await Deno.stat(`${file}.part`)).size;
    await download(`${server.origin}file`, file);
    assertEquals(await Deno.readFile(file), bytes);
    // Bytes in flight may be lost with the connection.
    assert(kept <= 60_000);
    await Deno.rename(file, `${file}.part`);
    await download(`${server.origin}file`, file);
    assertEquals(await Deno.readFile(file), bytes);
  }));

Deno.test("without support for ranges, the whole file is downloaded again", () =>
  withFolder(async (folder) => {
    await using server = serve(new Map(), () => new Response("whole"));
    await Deno.writeTextFile(join(folder, "file.part"), "who is");
    await download(`${server.origin}file`, join(folder, "file"));
    assertEquals(await Deno.readTextFile(join(folder, "file")), "whole");
  }));

Deno.test("errors for a missing file and an unreachable server name the address", () =>
  withFolder(async (folder) => {
    let origin: string;
    {
      await using server = serve(new Map());
      origin = server.origin;
      const { code, stderr } = await runData(folder, origin);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `data: ${origin}${REMOTE_FILES[0]!.address}: the server answered 404`);
    }
    await assertRejects(
      () => download(`${origin}file`, join(folder, "file")),
      Error,
      `${origin}file cannot be reached`,
    );
  }));

Deno.test("readNpy rejects files with another type or shape, and damaged files", () => {
  const file = npyFile([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
  assertEquals(new Float32Array(readNpy(file, [2, 3]).slice().buffer), Float32Array.of(1, 2, 3, 4, 5, 6));
  assertThrows(() => readNpy(file, [3, 2]), Error, "it must contain float32 [3,2]");
  assertThrows(() => readNpy(file.subarray(0, -1), [2, 3]), Error, "it has 23 bytes of elements, not 24");
  assertThrows(() => readNpy(new Uint8Array(4), [1]), Error, "not a .npy file");
});

Deno.test("the header of a safetensors file is a multiple of 8 bytes long, and the tensors keep their order", () => {
  const tensors = { b: [2], a: [1] };
  const elements = new Map([["a", new Uint8Array(4).fill(1)], ["b", new Uint8Array(8).fill(2)]]);
  const file = safetensors({ metadata: { model: "two" }, tensors }, elements);
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  assertEquals(length % 8, 0);
  assertEquals(JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))), {
    __metadata__: { model: "two" },
    b: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    a: { dtype: "F32", shape: [1], data_offsets: [8, 12] },
  });
  assertEquals(Array.from(file.subarray(8 + length)), [2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1]);
});
