/**
 * Chromium's WebNN as a contestant: a page builds the graph from the graph file with `navigator.ml`, runs it and
 * measures the times. The argument before those of the protocol is the path of a browser, or `bundled` for the one in
 * the npm package @sparticuz/chromium.
 *
 * Chromium chooses the number of threads; it has no option for it.
 *
 * @module
 */
import bundled from "@sparticuz/chromium";
import { basename } from "node:path";
import { Buffer } from "node:buffer";
import { chromium, type Route } from "playwright-core";
import { readJob, serve } from "./protocol.ts";

const ORIGIN = "http://localhost"; // navigator.ml needs a secure context. No server listens there; routes answer.
const FLAGS = ["--enable-features=WebMachineLearningNeuralNetwork", "--no-sandbox"];
/** Headers that isolate the page, so that its clock has a fine resolution. */
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const [browserPath, ...args] = Deno.args;
const { folder, device } = readJob(args);
const executablePath = browserPath === "bundled" ? await bundled.executablePath() : browserPath!;
const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  const page = await browser.newPage();
  await page.route(`${ORIGIN}/**`, answer);
  await page.goto(ORIGIN);
  await page.addScriptTag({ content: await Deno.readTextFile(new URL("chromium_page.js", import.meta.url)) });
  await page.evaluate(`prepareGraph(${JSON.stringify(device)})`);
  const timed = (call: string) => page.evaluate<number>(call);
  await serve(`Chromium ${browser.version()}`, {
    elsewhere: true,
    build: () => timed("build()"),
    prepare: () => page.evaluate("prepareRuns()"),
    release: () => page.evaluate("release()"),
    run: (count) => timed(`run(${count})`),
    fresh: (count) => timed(`fresh(${count})`),
    pipeline: (count) => timed(`pipeline(${count})`),
    output: async () => Uint8Array.fromBase64(await page.evaluate<string>("readOutput()")),
  });
} finally {
  await browser.close();
}

/** Serves the page and the files of the job. */
async function answer(route: Route): Promise<void> {
  const file = basename(new URL(route.request().url()).pathname);
  if (file === "") return await route.fulfill({ headers: HEADERS, contentType: "text/html", body: "<!DOCTYPE html>" });
  await route.fulfill({ body: Buffer.from(await Deno.readFile(`${folder}/${file}`)) });
}
