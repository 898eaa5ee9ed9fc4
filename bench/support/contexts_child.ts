/**
 * Runs a network in several contexts at once for some seconds, and prints {@linkcode Rates} as JSON. Its argument is a
 * {@linkcode Cell} in JSON.
 *
 * @module
 */
import { type ContextOptions, createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { Buffer } from "node:buffer";
import jpeg from "jpeg-js";
import { createInference, type Inference } from "../../examples/inference.ts";
import type { Suite } from "./suite.ts";
import { loadSuite } from "./suites.ts";

/** What to measure. */
export interface Cell {
  readonly suite: string;
  readonly contexts: number;
  readonly options: ContextOptions;
  /** Whether the event loop also decodes pictures. */
  readonly decoding: boolean;
  readonly seconds: number;
}

/** The measured rates. */
export interface Rates {
  /** Runs of all contexts in a second. */
  readonly runs: number;
  /** Pictures that the event loop decoded in a second. */
  readonly pictures: number;
}

/** Runs that wake threads, fill caches, and let each graph measure how long it takes. */
const WARM_UP_RUNS = 20;
const PICTURE = { width: 320, height: 240 };
/** Pictures per second: with more, the event loop would have no time for anything else. */
const PICTURES = 15;

const cell: Cell = JSON.parse(Deno.args[0]!);
const suite = await loadSuite(cell.suite);
const inferences = await Promise.all(Array.from({ length: cell.contexts }, () => open(suite, cell.options)));
console.log(JSON.stringify(await measure(cell, suite, inferences)));
Deno.exit();

/** All contexts are created before the first graph is built. */
async function open({ build }: Suite, options: ContextOptions): Promise<Inference> {
  const context = await createContext(options);
  return createInference(context, await build(context));
}

async function measure({ decoding, seconds }: Cell, { inputs, output, check }: Suite, inferences: Inference[]) {
  let [runs, pictures] = [0, 0];
  let until = Infinity;
  const warm = inferences.map(async (inference) => {
    for (let i = 0; i < WARM_UP_RUNS; i++) check((await inference.run(inputs))[output]!);
  });
  await Promise.all(warm);
  const began = performance.now();
  until = began + seconds * 1000;
  const work = inferences.map(async (inference) => {
    for (; performance.now() < until; runs++) await inference.run(inputs);
  });
  if (decoding) work.push(decode(() => performance.now() < until, () => pictures++));
  await Promise.all(work);
  const elapsed = (performance.now() - began) / 1000;
  return { runs: runs / elapsed, pictures: pictures / elapsed } satisfies Rates;
}

/** Decodes pictures at a fixed rate; if the event loop is late, as soon as it can. */
async function decode(goOn: () => boolean, onPicture: () => void): Promise<void> {
  const pixels = Buffer.from(Uint8Array.from({ length: PICTURE.width * PICTURE.height * 4 }, (_, i) => (i * i) >> 9));
  const { data } = jpeg.encode({ ...PICTURE, data: pixels }, 85);
  for (let due = performance.now(); goOn(); due += 1000 / PICTURES) {
    await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    jpeg.decode(data, { useTArray: true });
    onPicture();
  }
}
