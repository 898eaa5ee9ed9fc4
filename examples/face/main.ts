/**
 * Finds the faces in a photo with LiteRT.js on `navigator.ml`. See HELP.
 *
 * @module
 */
import "@webnn/deno/polyfill";
// Imported only to have its files: the package's own code is not used.
import "@mediapipe/face_detection/package.json" with { type: "json" };
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";
import { messageOf, positiveInteger, readFile, runProgram } from "../../support/program.ts";
import { median } from "../../support/statistics.ts";
import { decodeImage, type Image } from "../image.ts";
import { type Face, faceInput, findFaces, INPUT_SIZE } from "./detector.ts";
import { loadLiteRt } from "./litert.ts";

const HELP = `Finds the faces in a photo with WebNN.

Usage: deno run --allow-ffi --allow-read --allow-write examples/face/main.ts <photo> [options]

  photo      a JPEG or PNG file
  --output   the PNG file to write, with the faces marked in the photo (default: none)
  --repeat   timed inferences with each engine, after ten untimed ones (default 20)
  --help     print this text

The network is MediaPipe's short-range face detector (up to two metres), a TFLite file in the npm package
@mediapipe/face_detection. LiteRT.js runs it on WebNN and, for comparison, on XNNPACK, its own WebAssembly engine.`;

const MODEL = import.meta.resolve("@mediapipe/face_detection/face_detection_short_range.tflite");
const UNTIMED = 10;
const MARK = [208, 16, 58, 255];

type LiteRt = Awaited<ReturnType<typeof loadLiteRt>>;

if (import.meta.main) {
  await runProgram("face", HELP, { string: ["output", "repeat", "_"], default: { repeat: "20" } }, async (args) => {
    const [photo] = args._;
    if (photo === undefined || args._.length > 1) throw new Error(`pass one photo, not ${args._.length}`);
    if (args.output === "") throw new Error("--output must name a file");
    await find(photo, args.output, positiveInteger(args.repeat, "--repeat"));
  });
}

async function find(photo: string, output: string | undefined, repeat: number): Promise<void> {
  const image = await readPhoto(photo);
  const litert = await loadLiteRt();
  const model = await Deno.readFile(new URL(MODEL));

  const webnn = await detect(litert, model, "webnn", image, repeat);
  console.log(`${photo} (${image.width} × ${image.height})`);
  for (const face of webnn.faces) console.log(`  ${describe(face)}`);
  if (webnn.faces.length === 0) console.log("  no face");
  if (output !== undefined) {
    await Deno.writeFile(output, drawFaces(image, webnn.faces));
    console.log(`Written: ${output}`);
  }
  const wasm = await detect(litert, model, "wasm", image, repeat);
  console.log(`\nmedian of ${repeat}: WebNN ${webnn.time.toFixed(2)} ms, XNNPACK ${wasm.time.toFixed(2)} ms`);
  if (webnn.faces.map(describe).join() !== wasm.faces.map(describe).join()) {
    console.log(["XNNPACK found other faces:", ...wasm.faces.map(describe)].join("\n  "));
  }
}

async function readPhoto(path: string): Promise<Image> {
  const bytes = await readFile(path);
  try {
    return await decodeImage(bytes);
  } catch (cause) {
    throw new Error(`${path}: ${messageOf(cause)}`, { cause });
  }
}

/** The faces that LiteRT.js finds, and the median duration of an inference, including copies of input and outputs. */
async function detect(
  litert: LiteRt,
  bytes: Uint8Array,
  accelerator: "webnn" | "wasm",
  image: Image,
  repeat: number,
): Promise<{ faces: Face[]; time: number }> {
  const model = await litert.loadAndCompile(bytes, { accelerator });
  const data = faceInput(image);
  const run = async () => {
    const input = new litert.Tensor(data, [1, INPUT_SIZE, INPUT_SIZE, 3]);
    const outputs = await model.run({ input });
    const boxes = await outputs.regressors!.data() as Float32Array;
    const scores = await outputs.classificators!.data() as Float32Array;
    for (const tensor of [input, ...Object.values(outputs)]) tensor.delete();
    return { boxes, scores };
  };
  const { boxes, scores } = await run();
  const times: number[] = [];
  for (let index = 1; index < UNTIMED + repeat; index++) {
    const start = performance.now();
    await run();
    if (index >= UNTIMED) times.push(performance.now() - start);
  }
  model.delete();
  return { faces: findFaces(boxes, scores, image), time: median(times) };
}

function describe({ score, center, width, height }: Face): string {
  const left = (center.x - width / 2).toFixed();
  const top = (center.y - height / 2).toFixed();
  return `${
    (100 * score).toFixed(1).padStart(5)
  } %  left ${left}, top ${top}, ${width.toFixed()} × ${height.toFixed()}`;
}

/** The photo as a PNG file, with a frame around each face and a dot at each of its points. */
function drawFaces(image: Image, faces: Face[]): Uint8Array {
  const { width, height } = image;
  const data = Buffer.from(image.data);
  const thickness = Math.max(Math.round(Math.max(width, height) / 300), 1);
  const fill = (x: number, y: number, columns: number, rows: number) => {
    const [left, right] = [x, x + columns].map((place) => Math.min(Math.max(Math.round(place), 0), width));
    const [top, bottom] = [y, y + rows].map((place) => Math.min(Math.max(Math.round(place), 0), height));
    for (let row = top!; row < bottom!; row++) {
      for (let column = left!; column < right!; column++) data.set(MARK, 4 * (row * width + column));
    }
  };
  for (const { center, width, height, points } of faces) {
    const [x, y] = [center.x - width / 2, center.y - height / 2];
    for (const edge of [y, y + height]) fill(x, edge, width, thickness);
    for (const edge of [x, x + width]) fill(edge, y, thickness, height);
    for (const point of points) fill(point.x - thickness, point.y - thickness, 2 * thickness, 2 * thickness);
  }
  return PNG.sync.write(Object.assign(new PNG({ width, height }), { data }));
}
