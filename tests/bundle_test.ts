/**
 * Importing the module runs nothing: no permission is asked for, no variable read, no global made. The module is bundled
 * and the bundle run in a process without permissions, in which each touch is written down.
 */
import { assertEquals } from "@std/assert";
import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/** Runs before the bundle; leaves `report`, which tells what has been touched since. */
const RECORDER = `
// With it Deno sets up its layer for npm packages, which leaves a global of Deno's own behind.
import "node:module";
const touched = [];
const record = (name, target) => new Proxy(target, {
  get: (object, key) => (touched.push(name + "." + String(key)), object[key]),
  has: (object, key) => (touched.push(name + "." + String(key)), key in object),
  ownKeys: (object) => (touched.push("the names in " + name), Reflect.ownKeys(object)),
});
const places = { globalThis, navigator, "Navigator.prototype": Navigator.prototype };
const print = console.log;
process.env = record("process.env", process.env);
Object.defineProperty(globalThis, "Deno", { value: record("Deno", Deno) });
const before = Object.values(places).map((place) => Reflect.ownKeys(place));
const report = () => {
  Object.entries(places).forEach(([name, place], i) => {
    for (const key of Reflect.ownKeys(place)) if (!before[i].includes(key)) touched.push("new " + name + "." + String(key));
  });
  print(JSON.stringify(touched));
};
`;

/** Bundles `source` as a module of the repository and returns what importing it touches. */
async function touchedByImport(source: string): Promise<string[]> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: fileURLToPath(ROOT), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    packages: "external",
    // Every module is kept as it stands, although nothing of it is used.
    treeShaking: false,
  });
  await esbuild.stop();

  // Static imports are carried out first, so the bundle stands in a module that is imported after the recorder began.
  const program = `${RECORDER}\nawait import(${JSON.stringify(dataUrl(outputFiles[0]!.text))});\nreport();`;
  return await runProgram(program) as string[];
}

/** Runs a program without permissions, and returns what it prints, which is JSON. */
async function runProgram(program: string): Promise<unknown> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "-"],
    cwd: fileURLToPath(ROOT),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

Deno.test("a bundle that imports mod.ts runs nothing on import", async () => {
  assertEquals(await touchedByImport('import "./mod.ts";'), []);
});

Deno.test("the recorder sees permissions, variables and globals", async () => {
  const touching = `
    Deno.permissions.querySync({ name: "ffi" });
    "dlopen" in Deno;
    try { process.env.HOME; } catch { /* without permission to read it, but it was tried */ }
    Object.defineProperty(Navigator.prototype, "ml", { value: 1 });
    globalThis.MLContext = class {};
  `;
  const touched = await touchedByImport(touching);
  const expected = [
    "Deno.permissions",
    "Deno.dlopen",
    "process.env.HOME",
    "new globalThis.MLContext",
    "new Navigator.prototype.ml",
  ];
  assertEquals(expected.filter((name) => !touched.includes(name)), []);
});

Deno.test("a minified bundle of the polyfill has the standard's names", async () => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [fileURLToPath(new URL("src/polyfill.ts", ROOT))],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    packages: "external",
  });
  await esbuild.stop();
  const names = ["ML", "MLContext", "MLGraph", "MLGraphBuilder", "MLOperand", "MLTensor"];
  const program = `await import(${JSON.stringify(dataUrl(outputFiles[0]!.text))});
    console.log(JSON.stringify(${JSON.stringify(names)}.filter((name) => typeof globalThis[name] === "function")));`;
  assertEquals(await runProgram(program), names);
});
