/** `webnn run`: its inputs, its output, and the files that it writes. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { zipSync } from "fflate";
import { dump, parse } from "npyjs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { Buffer } from "node:buffer";
import wavefile from "wavefile";
import { type Outcome, webnn } from "../support/terminal.ts";
import { type Folder, identityModel, LINEAR, MODULE, RESHAPE, temporaryFolder } from "./files.ts";

interface Output {
  readonly name: string;
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly first: readonly number[];
  readonly top?: readonly (readonly { index: number; value: number; label?: string }[])[];
}

/** The outputs in the result of `--json`. */
function outputsOf({ status, stdout, stderr }: Outcome): Output[] {
  assertEquals([status, stderr], [0, ""]);
  return JSON.parse(stdout).outputs;
}

const npy = (data: Parameters<typeof dump>[0], shape: number[], dtype?: "f2" | "b1") =>
  new Uint8Array(dump(data, shape, dtype ? { dtype } : {}));

Deno.test("each output is shown with shape, minimum, maximum, mean and first elements, as a table and as JSON", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const x = folder.write("x.npy", npy(Float32Array.of(1, 0, 0, 1), [2, 2]));
  const { status, stdout, stderr } = await webnn("run", model, "--input", `x=${x}`);
  assertEquals([status, stderr], [0, ""]);
  assertStringIncludes(stdout, "output  type     shape   min  max  mean  first elements\n");
  assertStringIncludes(stdout, "y       float32  [2, 2]   11   24  17.5  11, 22, 13, 24\n");
  const [y] = outputsOf(await webnn("run", model, "--input", `x=${x}`, "--json"));
  assertEquals(y, {
    name: "y",
    dataType: "float32",
    shape: [2, 2],
    min: 11,
    max: 24,
    mean: 17.5,
    first: [11, 22, 13, 24],
  });
});

/** Writes the input [[1, 0]] in each file format, and returns the value of --input. */
const FORMATS: Record<string, (folder: Folder) => string> = {
  ".npy": (folder) => `x=${folder.write("x.npy", npy(Float32Array.of(1, 0), [1, 2]))}`,
  ".npz, its only array": (folder) =>
    `x=${folder.write("a.npz", zipSync({ "a.npy": npy(Float32Array.of(1, 0), [1, 2]) }))}`,
  ".npz, all arrays": (folder) => folder.write("all.npz", zipSync({ "x.npy": npy(Float32Array.of(1, 0), [1, 2]) })),
  ".json, nested": (folder) => `x=${folder.write("x.json", "[[1, 0]]")}`,
  ".json, with a shape": (folder) => `x=${folder.write("x.json", '{ "shape": [1, 2], "data": [1, 0] }')}`,
  ".bin": (folder) => `x=${folder.write("x.bin", new Uint8Array(Float32Array.of(1, 0).buffer))}`,
};

for (const [name, write] of Object.entries(FORMATS)) {
  Deno.test(`an input is read from ${name}`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("linear.onnx", LINEAR);
    const [y] = outputsOf(await webnn("run", model, "--input", write(folder), "--json"));
    assertEquals([y!.shape, y!.first], [[1, 2], [11, 22]]);
  });
}

Deno.test("a .npy file in Fortran order is read as the same array", async () => {
  using folder = temporaryFolder();
  const model = folder.write("identity.onnx", identityModel("int64", [2, 3, 2]));
  // Elements 0 to 11 in C order.
  const elements = BigInt64Array.of(0n, 6n, 2n, 8n, 4n, 10n, 1n, 7n, 3n, 9n, 5n, 11n);
  const header = (text: string) => text.replace(/(fortran_order.: *)False/, "$1True ");
  const bytes = Array.from(npy(elements, [2, 3, 2]), (byte) => String.fromCharCode(byte)).join("");
  const file = Uint8Array.from(header(bytes), (character) => character.charCodeAt(0));
  const output = join(folder.path, "out");
  const given = `in/put:0=${folder.write("x.npy", file)}`;
  assertEquals((await webnn("run", model, "--input", given, "--output", output)).status, 0);
  const written = parse(Deno.readFileSync(join(output, "out_put_0.npy")).buffer);
  assertEquals(written.data, BigInt64Array.from({ length: 12 }, (_, i) => BigInt(i)));
});

Deno.test("a file whose shape differs from --shape is an error", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const given = `x=${folder.write("x.npy", npy(Float32Array.of(1, 0), [1, 2]))}`;
  const { status, stderr } = await webnn("run", model, "--input", given, "--shape", "x=3,2");
  assertEquals([status, stderr], [
    1,
    `webnn run: --input ${given} has the shape [1, 2], but --shape x is [3, 2]\n`,
  ]);
});

Deno.test("a model can be a module that builds a graph", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.ts", MODULE);
  const x = folder.write("x.json", "[[1, 0]]");
  const [y] = outputsOf(await webnn("run", model, "--input", `x=${x}`, "--json"));
  assertEquals(y!.first, [11, 22]);
});

Deno.test("random inputs follow from the seed: floats from 0 to 1, integers 0 or 1", async () => {
  using folder = temporaryFolder();
  const model = folder.write("floats.onnx", identityModel("float32", ["n", 1000]));
  const run = async (...args: string[]) => outputsOf(await webnn("run", model, "--json", ...args))[0]!;
  const [one, again, other] = [await run(), await run("--seed", "1"), await run("--seed", "2")];
  assertEquals(one, again);
  assert(String(one.first) !== String(other.first));
  assert(one.min >= 0 && one.max < 1 && Math.abs(one.mean - 0.5) < 0.05, JSON.stringify(one));
  assertEquals((await run("--shape", "in/put:0=3,1000")).shape, [3, 1000]);
  const integers = folder.write("integers.onnx", identityModel("int64", [100]));
  const [{ min, max }] = outputsOf(await webnn("run", integers, "--json")) as [Output];
  assertEquals([min, max], [0, 1]);
});

for (
  const [type, array, dtype] of [
    ["float32", Float32Array.of(0.5, NaN, -Infinity)],
    ["float16", new Uint16Array(Float16Array.of(0.5, NaN, -2).buffer), "f2"],
    ["int64", BigInt64Array.of(1n, -9007199254740993n, 3n)],
    ["uint8", Uint8Array.of(0, 255, 7)],
    ["bool", Uint8Array.of(0, 1, 1), "b1"],
  ] as const
) {
  Deno.test(`--output writes ${type} as a NumPy file, under a name without special characters`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("model.onnx", identityModel(type, [3]));
    const x = folder.write("x.npy", npy(array, [3], dtype));
    const output = join(folder.path, "new", "folder");
    const { status, stderr } = await webnn("run", model, "--input", `in/put:0=${x}`, "--output", output);
    assertEquals([status, stderr], [0, ""]);
    const written = Deno.readFileSync(join(output, "out_put_0.npy"));
    const { data, shape } = parse(written.buffer, { convertFloat16: false });
    assertEquals([shape, String(data)], [[3], String(array)]);
  });
}

Deno.test("--top-k ranks each row, --labels names the elements", async () => {
  using folder = temporaryFolder();
  const model = folder.write("model.onnx", identityModel("float32", ["n", 4]));
  const x = folder.write("x.json", "[[1, 4, 3, 4], [0, -1, 9, 2]]");
  const labels = folder.write("labels.txt", "ant\nbee\r\ncat\ndog\n");
  const args = ["run", model, "--input", `in/put:0=${x}`, "--labels", labels, "--top-k", "2"];
  const [{ top }] = outputsOf(await webnn(...args, "--json")) as [Output];
  assertEquals(top, [
    [{ index: 1, value: 4, label: "bee" }, { index: 3, value: 4, label: "dog" }],
    [{ index: 2, value: 9, label: "cat" }, { index: 3, value: 2, label: "dog" }],
  ]);
  assertStringIncludes((await webnn(...args)).stdout, "out/put:0, row 1  value  label\n2                     9  cat");
});

/** A picture of 2 × 1 pixels: red and blue. */
function pngFile(): Uint8Array {
  const png = new PNG({ width: 2, height: 1 });
  png.data = Buffer.from([255, 0, 0, 255, 0, 0, 255, 255]);
  return PNG.sync.write(png);
}

for (
  const [what, shape, type, options, expected] of [
    ["planes", [1, 3, "h", "w"], "float32", [], [1, 0, 0, 0, 0, 1]],
    ["planes, bgr", [1, 3, 1, 2], "float32", ["--channels", "bgr"], [0, 1, 0, 0, 1, 0]],
    ["pixels", ["n", "h", "w", 3], "float32", [], [1, 0, 0, 0, 0, 1]],
    ["pixels of bytes", [1, 2, 3], "uint8", [], [255, 0, 0, 0, 0, 255]],
    ["planes, normalised", [3, 1, 2], "float32", ["--mean", "0.5", "--std", "0.5,0.25,1"], [1, -1, -2, -2, -0.5, 0.5]],
    ["planes, smaller", [1, 3, 1, 1], "float32", ["--fit", "fill", "--scale", "1"], [128, 0, 128]],
    ["one grey plane", [1, 1, 1, 2], "uint8", ["--fit", "cover"], [76, 29]],
    ["planes, with borders", [1, 3, 4, 2], "float32", ["--fit", "contain"], undefined],
  ] as const
) {
  Deno.test(`a picture becomes ${what}`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("model.onnx", identityModel(type, shape));
    const picture = folder.write("red_blue.png", pngFile());
    const output = join(folder.path, "out");
    const args = ["--input", `in/put:0=${picture}`, "--output", output, ...options];
    const { status, stderr } = await webnn("run", model, ...args);
    assertEquals([status, stderr], [0, ""]);
    const { data } = parse(Deno.readFileSync(join(output, "out_put_0.npy")).buffer);
    if (expected) assertEquals(Array.from(data as Float32Array), [...expected]);
    else assertEquals(Array.from(data as Float32Array).slice(0, 2), [0, 0]);
  });
}

/** Four samples at 8 kHz in the left channel, silence in the right. */
function wavFile(): Uint8Array {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(2, 8000, "16", [[16384, -16384, 16384, 0], [0, 0, 0, 0]]);
  return wav.toBuffer();
}

for (
  const [what, shape, options, expected] of [
    ["its samples, mixed", [1, null], [], [0.25, -0.25, 0.25, 0]],
    ["as many as the input takes, cut", [1, 2], ["--trim"], [0.25, -0.25]],
    ["as many as the input takes, with silence", [5, 1], ["--trim"], [0.25, -0.25, 0.25, 0, 0]],
  ] as const
) {
  Deno.test(`a WAV file becomes ${what}`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("model.onnx", identityModel("float32", shape));
    const sound = folder.write("sound.wav", wavFile());
    const [{ first }] = outputsOf(await webnn("run", model, "--input", `in/put:0=${sound}`, "--json", ...options)) as [
      Output,
    ];
    assertEquals(first.map((value) => Math.round(value * 1e4) / 1e4), [...expected]);
  });
}

/** The samples of a WAV file in each format, and their expected values. */
const DEPTHS = {
  "8": [[192, 64, 255, 0], [0.5, -0.5, 127 / 128, -1]],
  "16": [[16384, -16384, 32767, -32768], [0.5, -0.5, 32767 / 32768, -1]],
  "24": [[2 ** 22, -(2 ** 22), 2 ** 23 - 1, -(2 ** 23)], [0.5, -0.5, 1 - 2 ** -23, -1]],
  "32": [[2 ** 30, -(2 ** 30), 2 ** 24, -(2 ** 31)], [0.5, -0.5, 2 ** -7, -1]],
  "32f": [[0.5, -0.5, 1, -1], [0.5, -0.5, 1, -1]],
  "64": [[0.5, -0.5, 1, -1], [0.5, -0.5, 1, -1]],
} as const;

for (const [depth, [samples, expected]] of Object.entries(DEPTHS)) {
  Deno.test(`samples of ${depth} bits have exactly the values of libsndfile`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("model.onnx", identityModel("float32", [null]));
    const wav = new wavefile.WaveFile();
    wav.fromScratch(1, 8000, depth, [...samples]);
    const sound = folder.write("sound.wav", wav.toBuffer());
    const [{ first }] = outputsOf(await webnn("run", model, "--input", `in/put:0=${sound}`, "--json")) as [Output];
    assertEquals(first, [...expected]);
  });
}

for (const [law, compress] of [["A-law", "toALaw"], ["µ-law", "toMuLaw"], ["ADPCM", "toIMAADPCM"]] as const) {
  Deno.test(`samples compressed with ${law} have about the same values`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("model.onnx", identityModel("float32", [null]));
    const wav = new wavefile.WaveFile();
    wav.fromScratch(1, 8000, "16", new Int16Array(2048).fill(8192));
    wav[compress]();
    const sound = folder.write("sound.wav", wav.toBuffer());
    const [{ mean }] = outputsOf(await webnn("run", model, "--input", `in/put:0=${sound}`, "--json")) as [Output];
    assert(Math.abs(mean - 0.25) < 0.06, `${mean}`);
  });
}

Deno.test("--sample-rate resamples a WAV file", async () => {
  using folder = temporaryFolder();
  const model = folder.write("model.onnx", identityModel("float32", [null]));
  const sound = folder.write("sound.wav", wavFile());
  const args = ["--input", `in/put:0=${sound}`, "--json", "--sample-rate", "16000"];
  const [{ shape }] = outputsOf(await webnn("run", model, ...args)) as [Output];
  assertEquals(shape, [8]);
});

for (const command of ["run", "profile"]) {
  Deno.test(`webnn ${command}: if a model rejects random integers, the error names their input and option`, async () => {
    using folder = temporaryFolder();
    const { status, stderr } = await webnn(command, folder.write("reshape.onnx", RESHAPE));
    assertEquals(status, 1);
    assertStringIncludes(stderr, ' ("to" had random numbers; give others with --input to=FILE)\n');
  });
}
