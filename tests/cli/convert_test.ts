/** `webnn convert`: the result runs and keeps the names of inputs and outputs. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { webnn } from "../support/terminal.ts";
import { LINEAR, MODULE, RESHAPE, temporaryFolder } from "./files.ts";

/** A module with arithmetic that Core ML does not support. */
const LONG = `export default function (builder) {
  const x = builder.input("x", { dataType: "int64", shape: [2] });
  return { y: builder.add(x, x) };
}`;

Deno.test("an ONNX file with fixed shapes computes the same as the original model", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const converted = `${folder.path}/out.onnx`;
  const { status, stdout, stderr } = await webnn("convert", model, "-o", converted, "--shape", "x=3,2");
  assertEquals([status, stderr], [0, ""]);
  assertMatch(stdout, /out\.onnx: \d+ bytes; outputs: y\n$/);
  const outputs = async (path: string) => {
    const { outputs } = JSON.parse((await webnn("run", path, "--shape", "x=3,2", "--json")).stdout);
    return outputs;
  };
  assertEquals(await outputs(converted), await outputs(model));
});

Deno.test("an input that determines shapes is given by a file, and is not an input of the result", async () => {
  using folder = temporaryFolder();
  const model = folder.write("reshape.onnx", RESHAPE);
  const shape = folder.write("to.json", "[2, 3]");
  const converted = `${folder.path}/out.onnx`;
  const { status, stderr } = await webnn("convert", model, "-o", converted, "--input", `to=${shape}`);
  assertEquals([status, stderr], [0, ""]);
  const { inputs, outputs } = JSON.parse((await webnn("info", converted, "--json")).stdout);
  assertEquals([inputs.map(({ name }: { name: string }) => name), outputs[0].shape], [["x"], [2, 3]]);
});

Deno.test("a Core ML package is a folder of three files", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.mjs", MODULE);
  const converted = `${folder.path}/out.mlpackage`;
  const { status, stderr } = await webnn("convert", model, "-o", converted, "--json");
  assertEquals([status, stderr], [0, ""]);
  assertEquals(JSON.parse(Deno.readTextFileSync(`${converted}/Manifest.json`)).fileFormatVersion, "1.0.0");
  assertEquals([...Deno.readDirSync(`${converted}/Data/com.apple.CoreML`)].map(({ name }) => name).sort(), [
    "model.mlmodel",
    "weights",
  ]);
});

for (
  const [what, args, complaint, expected] of [
    ["no model", ["-o", "out.onnx"], "MODEL is missing", 2],
    ["no output", ["MODEL"], "--output is missing", 2],
    [
      "an unknown extension",
      ["MODEL", "-o", "out.tflite"],
      '--output must end in .onnx or .mlpackage, not "out.tflite"',
      2,
    ],
    ["no such file", ["nowhere.onnx", "-o", "FOLDER/out.onnx"], "nowhere.onnx: there is no such file or folder", 1],
    ["a text file", ["TEXT", "-o", "FOLDER/out.onnx"], "text.onnx: ", 1],
    ["a damaged model", ["DAMAGED", "-o", "FOLDER/out.onnx"], "damaged.onnx: ", 1],
    [
      "a wrong shape",
      ["MODEL", "--shape", "x=1,3", "-o", "FOLDER/out.onnx"],
      '--shape x: the input "x" has the shape',
      1,
    ],
    [
      "an input that determines shapes, without a file",
      ["RESHAPE", "-o", "FOLDER/out.onnx"],
      "reshape.onnx: shapes depend on the elements of to; give them with --input to=FILE",
      1,
    ],
    [
      "a graph that Core ML does not support",
      ["LONG", "-o", "FOLDER/out.mlpackage"],
      "Core ML does not support the graph",
      1,
    ],
    ["a folder that is a file", ["MODEL", "-o", "MODEL/out.mlpackage"], "out.mlpackage", 1],
  ] as const
) {
  Deno.test(`${what}: one line of error, and no file is left behind`, async () => {
    using folder = temporaryFolder();
    const places = {
      MODEL: folder.write("linear.onnx", LINEAR),
      TEXT: folder.write("text.onnx", "This is not a model.\n"),
      DAMAGED: folder.write("damaged.onnx", LINEAR.subarray(0, LINEAR.length >> 1)),
      RESHAPE: folder.write("reshape.onnx", RESHAPE),
      LONG: folder.write("long.mjs", LONG),
      FOLDER: folder.path,
    };
    const before = folder.names();
    const replaced = args.map((arg) =>
      arg.replace(/^[A-Z]+(?=\/|$)/, (name) => places[name as keyof typeof places] ?? name)
    );
    const { status, stdout, stderr } = await webnn("convert", ...replaced);
    assertEquals([status, stdout, folder.names()], [expected, "", before]);
    assertMatch(stderr, /^webnn convert: [^\n]+\n$/);
    assertStringIncludes(stderr, complaint);
  });
}
