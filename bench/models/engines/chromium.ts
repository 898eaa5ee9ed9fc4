/**
 * This module's importer on Chromium's WebNN: a page loads and runs the model, and measures the times of runs.
 *
 * Chromium chooses its number of threads. To compare with one thread, run all contestants on one processor
 * (`taskset -c 0 deno task bench:models --against chromium`).
 *
 * @module
 */
import bundled from "@sparticuz/chromium";
import { chromium, type Page } from "playwright-core";
import { bundleImporter } from "../../../support/importer_bundle.ts";
import type { Engine, Job, OpenEngine } from "../engine.ts";
import { encodeInput } from "../encoded.ts";

const FLAGS = ["--enable-features=WebMachineLearningNeuralNetwork", "--no-sandbox"];
/** Headers that isolate the page, so that its clock has a fine resolution. */
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Chromium, from the npm package @sparticuz/chromium, which has it for Linux only. */
export const open: OpenEngine = async (job, inputs) => {
  const executablePath = Deno.env.get("BENCH_CHROMIUM") || await bundled.executablePath();
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  // A server, because the browser's driver does not pass on files of 90 MB.
  const server = Deno.serve({ hostname: "localhost", port: 0, onListen() {} }, (request) => answer(request, job));
  const page = await browser.newPage();
  await page.goto(`http://localhost:${server.addr.port}/`); // navigator.ml needs a secure context.
  await page.addScriptTag({ content: await bundleImporter() });
  await page.addScriptTag({ content: await Deno.readTextFile(new URL("chromium_page.js", import.meta.url)) });
  await call(page, "prepare", { dimensions: job.dimensions, inputs: inputs.map(encodeInput) });
  return {
    ...engineOn(page, `Chromium ${browser.version()}`),
    close: () => browser.close().then(() => server.shutdown()),
  };
};

/** Serves the page and the model. */
async function answer(request: Request, { file }: Omit<Job, "inputs">): Promise<Response> {
  return new URL(request.url).pathname === "/"
    ? new Response("<!DOCTYPE html>", { headers: { ...HEADERS, "Content-Type": "text/html" } })
    : new Response(await Deno.readFile(file));
}

function engineOn(page: Page, title: string): Engine {
  return {
    title,
    isElsewhere: true,
    async load() {
      await call(page, "load");
      return {
        run: () => call(page, "run"),
        timed: (count) => call(page, "timed", count),
        close: () => call(page, "close"),
      };
    },
  };
}

/** Calls a function of the page. */
function call<T>(page: Page, name: string, argument?: number | Pick<Job, "dimensions" | "inputs">): Promise<T> {
  return page.evaluate<T>(`${name}(${JSON.stringify(argument)})`);
}
