/** Globals that web-platform-tests need, but Deno does not have. */

import { runInThisContext } from "node:vm";
import type { PageRun } from "./page.ts";

const ORIGIN = "https://web-platform.test:8443";

/** Paths for which wptserve serves another file. */
const ALIASES: Record<string, string> = {
  "/resources/WebIDLParser.js": "/resources/webidl2/lib/webidl2.js",
};

export function installShims({ page, root }: PageRun): void {
  const nativeFetch = globalThis.fetch;
  const isWindow = page.scope === "window";
  define("location", new URL(page.id, ORIGIN));
  define("fetch", (input: Request | URL | string, init?: RequestInit) => {
    const url = new URL(input instanceof Request ? input.url : input, new URL(page.id, ORIGIN));
    return url.origin === ORIGIN ? serveFile(root, url.pathname) : nativeFetch(input, init);
  });
  define("GLOBAL", { isWindow: () => isWindow, isWorker: () => !isWindow, isShadowRealm: () => false });
  define("META_TITLE", page.title);
  define("isSecureContext", true);
  // Tests that need it request it with a .headers file; Deno always has SharedArrayBuffer.
  define("crossOriginIsolated", true);
  if (isWindow) define("window", globalThis);
  // Otherwise Deno would exit. testharness.js also gets the event, and reports a harness error.
  addEventListener("error", (event) => event.preventDefault());
  addEventListener("unhandledrejection", (event) => event.preventDefault());
}

/**
 * Runs a file as a classic script, so that later scripts see its top-level constants, unlike with `eval` or `import`. As
 * in a browser, an exception is reported to the page, and does not stop it.
 */
export function loadScript(root: string, path: string): void {
  try {
    runInThisContext(readScript(root, path), { filename: path });
  } catch (error) {
    reportError(error);
  }
}

/**
 * The optional cases that a conformance test skipped, from a constant of its script `resources/utils.js`.
 */
export function skippedCases(): string[] {
  return runInThisContext("typeof testsToSkip === 'undefined' ? [] : testsToSkip.map(({ name }) => name)");
}

function readScript(root: string, path: string): string {
  try {
    return Deno.readTextFileSync(filePath(root, path));
  } catch (cause) {
    throw new Error(`the script ${path} cannot be read`, { cause });
  }
}

async function serveFile(root: string, path: string): Promise<Response> {
  try {
    return new Response(await Deno.readFile(filePath(root, path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Response(null, { status: 404 });
    throw error;
  }
}

function filePath(root: string, path: string): string {
  return root + decodeURIComponent(ALIASES[path] ?? path);
}

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}
