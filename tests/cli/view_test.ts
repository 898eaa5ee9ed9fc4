/** `webnn view`: its drawings. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findRepeats } from "../../cli/view/repeats.ts";
import { webnn } from "../support/terminal.ts";
import { LINEAR, temporaryFolder } from "./files.ts";

/** A network of layers, each with a product, a bias, two activations, and a residual sum. */
const LAYERS = `export default function (builder) {
  const constant = (shape) => builder.constant({ dataType: "float32", shape }, new Float32Array(shape[0] * (shape[1] ?? 1)));
  let x = builder.input("x", { dataType: "float32", shape: [4, 8] });
  for (let i = 0; i < LAYERS; i++) {
    const bias = builder.reshape(constant([8]), [1, 8]);
    x = builder.add(x, builder.tanh(builder.relu(builder.add(builder.matmul(x, constant([8, 8])), bias))));
  }
  return { y: builder.softmax(x, 1) };
}`;

Deno.test("without --output, the drawing is printed for Graphviz, with shapes on edges and constants in nodes", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const { status, stdout, stderr } = await webnn("view", model, "--shape", "x=3,2");
  assertEquals([status, stderr], [0, ""]);
  assertMatch(stdout, /^digraph \{\n/);
  assertStringIncludes(stdout, '[label="matmul\\nb 2×2", fillcolor="#cfe2f3"]');
  assertMatch(stdout, /n\d+ -> n\d+ \[label="3×2"\];/);
  assertStringIncludes(stdout, 'label="blue: cpu"');
});

Deno.test("a repeated part is drawn once, in a frame with the number of copies; --all draws every copy", async () => {
  using folder = temporaryFolder();
  const model = folder.write("layers.mjs", LAYERS.replace("LAYERS", "6"));
  const { stdout } = await webnn("view", model);
  assertStringIncludes(stdout, 'label="6 times"');
  assertEquals(stdout.match(/label="(relu|matmul|softmax)/g)?.length, 3);
  assert(!stdout.includes("reshape"));
  assertMatch(stdout, /n\d+ -> n\d+ \[label="4×8", style=dashed, constraint=false\];/);
  const all = await webnn("view", model, "--all");
  assertEquals(all.stdout.match(/label="(relu|matmul|softmax|reshape)/g)?.length, 6 * 3 + 1);
});

Deno.test("a repeat is found if the operands correspond; those of the first copy may come from elsewhere", () => {
  const chain = (copies: number, kinds: string) =>
    Array.from({ length: copies * kinds.length }, (_, i) => ({
      kind: kinds[i % kinds.length]!,
      sources: [i === 0 ? -2 : i - 1],
    }));
  assertEquals(findRepeats(chain(4, "abc")), [{ start: 0, length: 3, copies: 4 }]);
  const [within, ...others] = findRepeats([...chain(1, "aaaaaab"), ...chain(1, "aaaaaab")].map(({ kind }, i) => ({
    kind,
    sources: [i === 0 ? -2 : i - 1],
  })));
  assertEquals([within, others], [{ start: 0, length: 7, copies: 2 }, [{ start: 0, length: 1, copies: 6 }]]);
  const crossed = chain(3, "abcd");
  crossed[7] = { kind: "d", sources: [4] };
  assertEquals(findRepeats(crossed), []);
});

Deno.test("a drawing as SVG and as a page; --color time uses red for long operations", async () => {
  using folder = temporaryFolder();
  const model = folder.write("layers.mjs", LAYERS.replace("LAYERS", "2"));
  const svg = `${folder.path}/g.svg`;
  assertEquals((await webnn("view", model, "-o", svg)).stdout, `${svg}: 13 operations\n`);
  const drawing = Deno.readTextFileSync(svg);
  assertMatch(drawing, /<svg [^>]*viewBox/);
  assertStringIncludes(drawing, ">4×8</text>");
  const html = `${folder.path}/g.html`;
  assertEquals((await webnn("view", model, "-o", html, "--color", "time")).status, 0);
  const page = Deno.readTextFileSync(html);
  assertMatch(page, /^<!DOCTYPE html>[^]*<svg [^]*fill="#ff[0-9a-f]{4}"[^]*\d+\.\d{3} ms, \d+\.\d %[^]*<script>/);
});

Deno.test("a thousand operations are drawn", async () => {
  using folder = temporaryFolder();
  const model = folder.write("layers.mjs", LAYERS.replace("LAYERS", "200"));
  const svg = `${folder.path}/g.svg`;
  const { stdout, stderr } = await webnn("view", model, "-o", svg);
  assertEquals([stdout, stderr], [`${svg}: 1,201 operations\n`, ""]);
  assertStringIncludes(Deno.readTextFileSync(svg), ">200 times</text>");
});

for (
  const [what, args, complaint, expected] of [
    ["no model", [], "MODEL is missing", 2],
    ["an unknown extension", ["MODEL", "-o", "g.png"], '--output must end in .svg, .html or .dot, not "g.png"', 2],
    ["an unknown value of --color", ["MODEL", "--color", "taste"], "--color must be device or time, not taste", 2],
    ["no such file", ["nowhere.onnx"], "nowhere.onnx: there is no such file or folder", 1],
    ["a shape that does not fit", ["MODEL", "--shape", "x=1,3"], '--shape x: the input "x" has the shape', 1],
    ["a path that cannot be written", ["MODEL", "-o", "MODEL/g.svg"], "g.svg: ", 1],
  ] as const
) {
  Deno.test(`${what}: one line of error, and no file is left behind`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("linear.onnx", LINEAR);
    const { status, stdout, stderr } = await webnn("view", ...args.map((arg) => arg.replace("MODEL", model)));
    assertEquals([status, stdout, folder.names()], [expected, "", ["linear.onnx"]]);
    assertMatch(stderr, /^webnn view: [^\n]+\n$/);
    assertStringIncludes(stderr, complaint);
  });
}
