/**
 * Runs a network in several contexts at once for some seconds, and prints how often, as JSON. Its argument is a
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
  /** Whether the event loop decodes pictures meanwhile. */
  readonly decoding: boolean;
  readonly seconds: number;
}

/** What was measured. */
export interface Rates {
  /** Runs of all contexts in a second. */
  readonly runs: number;
  /** Pictures that the event loop decoded in a second. */
  readonly pictures: number;
}

/** Runs that wake threads and fill caches, and after which each graph knows how long it takes. */
const WARM_UP_RUNS = 20;
const PICTURE = { width: 320, height: 240 };
/** How many pictures come in a second: with more, the event loop would have no time for anything else. */
const PICTURES = 15;

const cell: Cell = JSON.parse(Deno.args[0]!);
const suite = await loadSuite(cell.suite);
const inferences = await Promise.all(Array.from({ length: cell.contexts }, () => open(suite, cell.options)));
console.log(JSON.stringify(await measure(cell, suite, inferences)));
Deno.exit();

/** Contexts are there before the first of them builds. */
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

/** Decodes pictures as they come: later ones when they are due, or as soon as the event loop gets to them. */
async function decode(goOn: () => boolean, onPicture: () => void): Promise<void> {
  const pixels = Buffer.from(Uint8Array.from({ length: PICTURE.width * PICTURE.height * 4 }, (_, i) => (i * i) >> 9));
  const { data } = jpeg.encode({ ...PICTURE, data: pixels }, 85);
  for (let due = performance.now(); goOn(); due += 1000 / PICTURES) {
    await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    jpeg.decode(data, { useTArray: true });
    onPicture();
  }
}
