import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { PNG } from "pngjs";
import sharp from "sharp";
import { Buffer } from "node:buffer";
import { decodePicture } from "../../examples/ocr/picture.ts";
import { cornersOf, findTextBoxes } from "../../examples/ocr/boxes.ts";
import { openDrawing, SAMPLE_LINES } from "../../examples/ocr/drawing.ts";
import { decodeText } from "../../examples/ocr/networks.ts";

/** Opened once, because a process can start the renderer only once. */
const drawing = await openDrawing();

const ROOT = join(import.meta.dirname!, "../..");

/** Runs the demo with its task, as a user does. */
async function demo(args: string[]) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function textOf(stdout: string): string[] {
  return [...stdout.matchAll(/^ *\d+\.\d % {2}(.*) {2}\(\d+, \d+\)$/gm)].map(([, text]) => text!);
}

Deno.test("demo --help and -h print the usage", async () => {
  for (const option of ["--help", "-h"]) {
    const { code, stdout, stderr } = await demo([option]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "Usage: deno task demo [photo] [--output FILE] [--repeat N] [--compare]");
  }
});

const ERRORS: [args: string[], message: RegExp][] = [
  [["--ouput", "a.png"], /unknown option --ouput; --help lists the options/],
  [["--repeat", "0"], /--repeat must be a positive integer, not "0"/],
  [["a.png", "b.png"], /pass one photo, not 2/],
  [["no_such_photo.jpg"], /there is no file .*no_such_photo\.jpg/],
  [["README.md"], /README\.md: cannot decode the picture: /],
];

for (const [args, message] of ERRORS) {
  Deno.test(`demo ${args.join(" ")} fails with one clear line`, async () => {
    const { code, stdout, stderr } = await demo(args);
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, /^demo: [^\n]+\n$/);
    assertMatch(stderr, message);
  });
}

async function withTempFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("demo reads its sample picture, and writes a picture with the text marked", async () => {
  await withTempFolder(async (folder) => {
    const output = join(folder, "found.png");
    const { code, stdout, stderr } = await demo(["--repeat", "1", "--output", output, "--compare"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(textOf(stdout), SAMPLE_LINES);
    assertStringIncludes(stdout, "\nBoth read the same text.\n");
    for (const row of ["detection", "recognition, 5 lines"]) {
      assertMatch(stdout, new RegExp(`\\n${row} +\\d+\\.\\d ms +\\d+\\.\\d ms +\\d+\\.\\d ×\\n`));
    }
    const plain = drawing.drawSample();
    const marked = PNG.sync.read(Buffer.from(await Deno.readFile(output)));
    assertEquals([marked.width, marked.height], [plain.width, plain.height]);
    const isRed = (data: Uint8Array, at: number) => data[at]! > data[at + 1]! + 100;
    const reds = (data: Uint8Array) => data.filter((_, at) => at % 4 === 0 && isRed(data, at)).length;
    assertEquals(reds(plain.data), 0);
    assert(reds(marked.data) > 2000, "the picture must have red boxes");

    // A photo: the first line of the sample only.
    const [top, rows] = [50, 120];
    const line = new PNG({ width: plain.width, height: rows });
    line.data.set(plain.data.subarray(4 * plain.width * top, 4 * plain.width * (top + rows)));
    const photo = join(folder, "line.png");
    await Deno.writeFile(photo, new Uint8Array(PNG.sync.write(line)));
    const given = await demo([photo, "--repeat", "1", "--output", output]);
    assertEquals([given.code, given.stderr, textOf(given.stdout)[0]], [0, "", SAMPLE_LINES[0]]);
    assertMatch(given.stdout, /\ndetection +\d+\.\d ms\n/);
    assertEquals(given.stdout.includes("WebAssembly"), false);
  });
});

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly code?: { readonly specifier: string } }[];
}

Deno.test("demo has no static import of onnxruntime-web or sharp, so they are only downloaded when needed", async () => {
  const args = ["info", "--json", "--config=examples/deno.json", "examples/ocr/main.ts"];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stderr: "null" }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as { roots: string[]; modules: Module[] };
  const reached = new Set(roots);
  for (const specifier of reached) {
    const module = modules.find((module) => module.specifier === specifier);
    for (const { code } of module?.dependencies ?? []) if (code) reached.add(code.specifier);
  }
  const names = [...reached];
  assert(names.some((name) => name.endsWith("/src/onnx/mod.ts")), names.join("\n"));
  assertEquals(names.filter((name) => /onnxruntime[-_]web|npm:.*sharp/.test(name)), []);
});

Deno.test("decodePicture applies the EXIF orientation, scales large pictures down, keeps small ones, and rejects other files", async () => {
  const levels = Uint8Array.from({ length: 64 * 32 }, (_, pixel) => pixel % 64 < 32 ? 40 : 200);
  const picture = sharp(levels, { raw: { width: 64, height: 32, channels: 1 } });
  const jpeg = await picture.jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toBuffer();
  const { width, height, data } = await decodePicture(jpeg, 16);
  assertEquals([width, height], [8, 16]);
  const near = (at: number, level: number) => assert(Math.abs(data[at]! - level) <= 10, `${data[at]}, not ${level}`);
  near(0, 40); // After the rotation by 90°, the dark half is at the top.
  near(4 * (8 * 16 - 1), 200);
  const whole = await decodePicture(jpeg, 64);
  assertEquals([whole.width, whole.height], [32, 64]);
  const message = "cannot decode the picture: ";
  await assertRejects(() => decodePicture(new TextEncoder().encode("GIF89a"), 64), Error, message);
  await assertRejects(() => decodePicture(jpeg.subarray(0, jpeg.length - 20), 64), Error, message);
});

Deno.test("demo reads pictures that are rotated by quarter turns", async () => {
  const { width, height, data } = drawing.drawSample();
  await withTempFolder(async (folder) => {
    for (const turn of [90, 180, 270]) {
      const photo = join(folder, `${turn}.png`);
      await sharp(data, { raw: { width, height, channels: 4 } }).rotate(turn).png().toFile(photo);
      const output = join(folder, "upright.png");
      const { code, stdout, stderr } = await demo([photo, "--output", output]);
      assertEquals([code, stderr, textOf(stdout)], [0, "", SAMPLE_LINES]);
      assertStringIncludes(stdout, `The picture was rotated by ${360 - turn}° clockwise.`);
      assertMatch(stdout, /\nRead in \d+\.\d s, with the preparation of the networks\.\n/);
      const upright = PNG.sync.read(Buffer.from(await Deno.readFile(output)));
      assertEquals([upright.width, upright.height], [width, height]);
    }
  });
});

Deno.test("demo reports that it found no text", async () => {
  await withTempFolder(async (folder) => {
    const blank = join(folder, "blank.png");
    const png = new PNG({ width: 64, height: 40 });
    png.data.fill(255);
    await Deno.writeFile(blank, new Uint8Array(PNG.sync.write(png)));
    const { code, stdout, stderr } = await demo([blank, "--output", join(folder, "out.png")]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "No text was found.");
  });
});

Deno.test("findTextBoxes finds a rotated rectangle, enlarges it, and skips regions with low probabilities", () => {
  const [width, height] = [200, 120];
  const angle = 0.2;
  const map = { width, height, data: new Float32Array(width * height) };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [right, down] = [x + 0.5 - 100, y + 0.5 - 60];
      const along = right * Math.cos(angle) + down * Math.sin(angle);
      const across = down * Math.cos(angle) - right * Math.sin(angle);
      if (Math.abs(along) <= 60 && Math.abs(across) <= 10) map.data[y * width + x] = 0.9;
      else if (y < 10 && x < 40) map.data[y * width + x] = 0.4;
    }
  }
  const [box, ...others] = findTextBoxes(map, 2 * width, 2 * height);
  assertEquals(others, []);
  // The picture is twice as large as the map: 240 × 40, enlarged by 240 × 40 × 1.5 ÷ 560 on each side.
  const growth = 2 * 240 * 40 * 1.5 / 560;
  const near = (actual: number, expected: number, by: number) => Math.abs(actual - expected) <= by;
  assertEquals(near(box!.center.x, 200, 1) && near(box!.center.y, 120, 1) && near(box!.angle, angle, 0.02), true);
  assertEquals(near(box!.width, 240 + growth, 6) && near(box!.height, 40 + growth, 6), true);
  const [first, second] = cornersOf(box!);
  assertEquals(first!.x < second!.x && first!.y < second!.y, true);
});

Deno.test("decodeText drops repetitions and blanks, and keeps doubled letters apart", () => {
  const characters = ["", "a", "b"];
  const steps = [1, 1, 0, 1, 2, 2, 0, 0];
  const probabilities = new Float32Array(steps.length * characters.length);
  for (const [step, character] of steps.entries()) probabilities[step * characters.length + character] = 0.5;
  assertEquals(decodeText(probabilities, characters), { text: "aab", confidence: 0.5 });
  assertEquals(decodeText(new Float32Array(3), characters), { text: "", confidence: 0 });
});

Deno.test("decodeText adds spaces between Latin words if they are likely enough, but not within words or in Chinese", () => {
  const characters = ["", "a", "b", "你", " "];
  const read = (steps: readonly [character: number, space: number][]) => {
    const probabilities = new Float32Array(steps.length * characters.length);
    for (const [step, [character, space]] of steps.entries()) {
      probabilities[step * characters.length + character] = 0.5;
      if (character !== 4) probabilities[step * characters.length + 4] = space;
    }
    return decodeText(probabilities, characters).text;
  };
  assertEquals(read([[1, 0], [0, 0.2], [2, 0]]), "a b");
  assertEquals(read([[1, 0], [0, 0.02], [2, 0]]), "ab");
  assertEquals(read([[1, 0], [4, 0], [0, 0.2], [2, 0]]), "a b");
  assertEquals(read([[3, 0], [0, 0.2], [3, 0]]), "你你");
  assertEquals(read([[0, 0.4], [1, 0], [0, 0.4]]), "a");
});
