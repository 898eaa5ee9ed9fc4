/** What a page of web-platform-tests finds in a browser and Deno lacks. Everything is a property of the global scope. */

import { runInThisContext } from "node:vm";
import type { PageRun } from "./page.ts";

const ORIGIN = "https://web-platform.test:8443";

/** What wptserve answers with another file than the one that the URL path names. */
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
  // The tests that need it ask for it with a .headers file, and Deno always offers SharedArrayBuffer.
  define("crossOriginIsolated", true);
  if (isWindow) define("window", globalThis);
  // Otherwise Deno would end the process; testharness.js listens too and makes a harness error of it.
  addEventListener("error", (event) => event.preventDefault());
  addEventListener("unhandledrejection", (event) => event.preventDefault());
}

/**
 * Runs a file as a classic script, whose top-level `const`s the next script sees: neither `eval` nor `import` does that.
 * Like a browser it reports an exception to the page, and goes on.
 */
export function loadScript(root: string, path: string): void {
  try {
    runInThisContext(readScript(root, path), { filename: path });
  } catch (error) {
    reportError(error);
  }
}

/** The optional cases of a conformance test that its script `resources/utils.js` left out; a `const` of that script. */
export function optionalCasesLeftOut(): string[] {
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
