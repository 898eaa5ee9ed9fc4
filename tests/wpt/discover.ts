/** Finds the tests in a web-platform-tests checkout and reads their `// META:` lines. */

import { posix } from "node:path";
import type { Page } from "./page.ts";

/** A file of the suite that cannot run here. */
export interface NotRun {
  path: string;
  reason: string;
}

/** All pages in a folder of the checkout (`/webnn`), sorted by id, and the files that cannot run as pages. */
export function discover(root: string, folder: string): { pages: Page[]; notRun: NotRun[] } {
  const pages: Page[] = [];
  const notRun: NotRun[] = [];
  for (const path of listFiles(root, folder)) {
    if (/\.(any|window)\.js$/.test(path)) {
      const meta = parseMeta(Deno.readTextFileSync(root + path));
      const { scopes, unsupported } = scopesOf(path, meta);
      pages.push(...scopes.flatMap((scope) => pagesOf(path, scope, meta)));
      for (const name of unsupported) notRun.push({ path, reason: `no ${name} scope in Deno` });
    } else if (isHtmlTest(root, path)) {
      notRun.push({ path, reason: "an HTML document, with frames: Deno has no DOM" });
    }
  }
  pages.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { pages, notRun };
}

/** The META lines at the start of a test, by key. They end at the first other line. */
export function parseMeta(source: string): Map<string, string[]> {
  const meta = new Map<string, string[]>();
  for (const line of source.split(/\r?\n/)) {
    const [, key, value] = /^\/\/\s*META:\s*(\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) break;
    meta.set(key, [...meta.get(key) ?? [], value.trim()]);
  }
  return meta;
}

function scopesOf(path: string, meta: Map<string, string[]>): { scopes: Page["scope"][]; unsupported: string[] } {
  if (path.endsWith(".window.js")) return { scopes: ["window"], unsupported: [] };
  const names = (meta.get("global")?.[0] ?? "window,dedicatedworker").split(",").map((name) => name.trim());
  const scopes = new Set<Page["scope"]>();
  const unsupported: string[] = [];
  for (const name of names) {
    if (name === "window") scopes.add("window");
    else if (name === "dedicatedworker" || name === "worker") scopes.add("dedicatedworker");
    else unsupported.push(name);
  }
  return { scopes: [...scopes], unsupported };
}

function pagesOf(path: string, scope: Page["scope"], meta: Map<string, string[]>): Page[] {
  const extension = scope === "dedicatedworker" ? ".worker.html" : ".html";
  const url = path.replace(/\.js$/, extension);
  const scripts = (meta.get("script") ?? []).map((script) => posix.resolve(posix.dirname(path), script));
  return (meta.get("variant") ?? [""]).map((variant) => ({
    id: url + variant,
    scope,
    scripts: [...scripts, path],
    timeout: meta.get("timeout")?.[0] === "long" ? "long" : "normal",
    title: meta.get("title")?.[0],
  }));
}

function isHtmlTest(root: string, path: string): boolean {
  return path.endsWith(".html") && Deno.readTextFileSync(root + path).includes("/resources/testharness.js");
}

function* listFiles(root: string, folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(root + folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* listFiles(root, path);
    else yield path;
  }
}
