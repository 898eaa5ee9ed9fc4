/**
 * Importing the module has no side effects: it requests no permission, reads no environment variable, and defines no
 * global. A bundle of the module runs in a process without permissions, which records all accesses.
 */
import { assertEquals } from "@std/assert";
import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/** Runs before the bundle. Defines `report`, which prints the accesses since then. */
const RECORDER = `
// Makes Deno initialise its layer for npm packages before, because that defines a global.
import "node:module";
const accesses = [];
const record = (name, target) => new Proxy(target, {
  get: (object, key) => (accesses.push(name + "." + String(key)), object[key]),
  has: (object, key) => (accesses.push(name + "." + String(key)), key in object),
  ownKeys: (object) => (accesses.push("the names in " + name), Reflect.ownKeys(object)),
});
const places = { globalThis, navigator, "Navigator.prototype": Navigator.prototype };
const print = console.log;
process.env = record("process.env", process.env);
Object.defineProperty(globalThis, "Deno", { value: record("Deno", Deno) });
const before = Object.values(places).map((place) => Reflect.ownKeys(place));
const report = () => {
  Object.entries(places).forEach(([name, place], i) => {
    for (const key of Reflect.ownKeys(place)) if (!before[i].includes(key)) accesses.push("new " + name + "." + String(key));
  });
  print(JSON.stringify(accesses));
};
`;

/** Bundles `source` as a module of the repository. Returns the accesses during its import. */
async function accessesOfImport(source: string): Promise<string[]> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: fileURLToPath(ROOT), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    packages: "external",
    // Keeps all modules, although they are not used.
    treeShaking: false,
  });
  await esbuild.stop();

  // Static imports run first, so the bundle is imported dynamically, after the recorder has started.
  const program = `${RECORDER}\nawait import(${JSON.stringify(dataUrl(outputFiles[0]!.text))});\nreport();`;
  return await runProgram(program) as string[];
}

/** Runs a program without permissions. Returns the JSON that it prints. */
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

Deno.test("importing mod.ts has no side effects", async () => {
  assertEquals(await accessesOfImport('import "./mod.ts";'), []);
});

Deno.test("the recorder records permissions, environment variables and globals", async () => {
  const touching = `
    Deno.permissions.querySync({ name: "ffi" });
    "dlopen" in Deno;
    try { process.env.HOME; } catch { /* There is no permission to read it, but the attempt is recorded. */ }
    Object.defineProperty(Navigator.prototype, "ml", { value: 1 });
    globalThis.MLContext = class {};
  `;
  const accesses = await accessesOfImport(touching);
  const expected = [
    "Deno.permissions",
    "Deno.dlopen",
    "process.env.HOME",
    "new globalThis.MLContext",
    "new Navigator.prototype.ml",
  ];
  assertEquals(expected.filter((name) => !accesses.includes(name)), []);
});

Deno.test("a minified bundle of the polyfill defines the standard's names", async () => {
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
