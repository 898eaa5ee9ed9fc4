/**
 * transformers.js, unmodified, on `navigator.ml`: converts texts to vectors, compared with its own engine,
 * onnxruntime-web's WebAssembly. No npm package contains a model for it, so a small BERT is created here and served like
 * by a hub. It runs in a separate process, because it changes globals while it loads.
 */
import { assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { runChild } from "../../support/child.ts";
import { BERT_LENGTH, BERT_NAME, bertFiles } from "./bert.ts";
import type { Difference } from "./errors.ts";

const PROGRAM = new URL("programs/transformers.ts", import.meta.url);
const EMBED = new URL("../../examples/embed/main.ts", import.meta.url);

/** Relative to the largest element: float32 rounds to 6e-8, and the two layers have sums of at most 128 products. */
const TOLERANCE = 2e-6;

Deno.test("transformers.js loads a BERT from a hub, and gives the same results on WebNN as on its own engine", async () => {
  const requests: string[] = [];
  await using hub = serveHub(requests);
  const { code, stdout, stderr } = await runChild(PROGRAM, [hub.address, "webnn-test"], ["--allow-all", "--no-check"]);
  assertEquals(code, 0, stderr);
  const result = JSON.parse(stdout.split("\n").at(-1)!);

  assertEquals(result.tokens.map((ids: number[]) => ids.length), [BERT_LENGTH, BERT_LENGTH]);
  const [cat, long] = result.tokens;
  // [CLS] the cat sat on the mat [UNK] [SEP], then [PAD].
  assertEquals(cat.slice(0, 10), [2, 57, 59, 61, 62, 57, 63, 1, 3, 0]);
  assertEquals([long[0], long.includes(0)], [2, false]);
  assertEquals([result.graphs, result.operations], [1, 81]);
  for (const { difference, largest } of result.outputs as Difference[]) assertLess(difference, TOLERANCE * largest);
  // The model is loaded twice but requested once: the second time, it comes from Deno's caches.
  assertEquals(requests.filter((path) => path.endsWith("/onnx/model.onnx")).length, 1, requests.join("\n"));
});

Deno.test("examples/embed ranks sentences with a model in a folder, without a network", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, bytes] of Object.entries(bertFiles())) {
      await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
      await Deno.writeFile(join(folder, name), bytes);
    }
    const args = ["The cat sat.", "the engine runs fast", "the cat sat", "--model", folder];
    const { code, stdout, stderr } = await runEmbed([...args, "--length", String(BERT_LENGTH)], ["--deny-net"]);
    assertEquals([code, stderr], [0, ""]);
    // The sentence without the full stop is closest to the query.
    assertMatch(stdout, /^The cat sat\.\n {3}0\.\d{4} {2}the cat sat\n {3}0\.\d{4} {2}the engine runs fast$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("examples/embed prints its usage; each error is one line", async () => {
  assertStringIncludes((await runEmbed(["--help"])).stdout, "Usage:");
  for (const args of [[], ["one"], ["a", "b", "--length", "0"], ["a", "b", "--model", "./none"], ["--size", "1"]]) {
    const { code, stdout, stderr } = await runEmbed(args);
    assertEquals([code, stdout], [1, ""], args.join(" "));
    assertMatch(stderr, /^embed: [^\n]+\n$/);
    if (args.includes("./none")) assertMatch(stderr, /there is no folder .*none\n$/);
  }
});

function runEmbed(args: string[], flags: string[] = []): ReturnType<typeof runChild> {
  return runChild(EMBED, args, ["--allow-all", "--no-check", ...flags]);
}

/** Serves the model at the paths of https://huggingface.co. Adds the requested paths to `requests`. */
function serveHub(requests: string[]): { address: string } & AsyncDisposable {
  const files = bertFiles();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (request.method === "GET") requests.push(pathname);
    const file = files[pathname.replace(`/${BERT_NAME}/resolve/main/`, "")];
    return file === undefined ? new Response(null, { status: 404 }) : new Response(file);
  });
  return {
    address: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
