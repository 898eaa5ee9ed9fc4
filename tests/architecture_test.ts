/**
 * Tests of the architecture: which modules may import which others, that there are no import cycles, which modules may use
 * the global `Deno`, and that `mod.ts` only re-exports.
 */
import { assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/** The part of `deno info --json` that is read here. */
interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly Dependency[];
  }[];
}

/** An imported specifier. Without `code`, only types are imported. */
interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
  readonly isDynamic?: boolean;
}

/** Modules that all of src/ may import, and that import only each other. */
const LEAVES = ["src/errors.ts", "src/data_type.ts", "src/event_loop.ts", "src/shape.ts"];

/** The folder that the backends share. */
const COMMON = "src/backends/common/";

/**
 * The allowed imports, in addition to those within a room and those of the leaves. `*` is the folder of a backend.
 * "types" only allows `import type`, "dynamic" only `import()`.
 */
const ARROWS: readonly (readonly [from: string, to: string, how?: "types" | "dynamic"])[] = [
  ["src/ops/", "src/webidl/"],
  ["src/options.ts", "src/webidl/"],
  ["src/ops/", "src/graph/"],
  ["src/rewrite/", "src/ops/"],
  ["src/rewrite/", "src/graph/"],
  ["src/backends/*/", "src/rewrite/"],
  ["src/backends/backend.ts", "src/graph/"],
  ["src/timeline/", "src/backends/backend.ts"],
  ["src/timeline/", "src/graph/", "types"],
  [COMMON, "src/backends/backend.ts"],
  [COMMON, "ffi/"],
  ["src/backends/*/", "src/backends/backend.ts"],
  ["src/backends/*/", COMMON],
  ["src/backends/*/", "src/graph/"],
  ["src/backends/*/", "src/ops/", "types"],
  ["src/backends/*/", "ffi/"],
  ["src/backends/*/", "src/options.ts"],
  ["src/backends/select.ts", "src/options.ts"],
  ["src/backends/select.ts", "src/backends/backend.ts"],
  ["src/backends/composite.ts", "src/backends/backend.ts"],
  ["src/backends/composite.ts", "src/graph/"],
  ["src/backends/select.ts", "src/backends/composite.ts"],
  ["src/backends/select.ts", "src/backends/*/", "dynamic"],
  ["src/backends/formats.ts", "src/graph/"],
  ["src/backends/formats.ts", "src/backends/backend.ts"],
  ["src/backends/formats.ts", "src/backends/*/", "dynamic"],
  ["src/api/", "src/webidl/"],
  ["src/api/", "src/ops/"],
  ["src/api/", "src/graph/"],
  ["src/api/", "src/timeline/"],
  ["src/api/", "src/interop/"],
  ["src/api/", "src/backends/backend.ts"],
  ["src/api/export.ts", "src/backends/formats.ts"],
  ["src/api/ml.ts", "src/options.ts"],
  ["src/api/ml.ts", "src/backends/select.ts"],
  ["src/interop/", "src/timeline/"],
  ["src/interop/", "src/webidl/"],
  ["src/interop/", "src/backends/backend.ts", "types"],
  ["src/compat/", "src/api/"],
  ["src/onnx/", "src/api/", "types"],
  ["src/onnx/mod.ts", "mod.ts"],
  ["src/onnx/", "src/backends/backend.ts", "types"],
  ["src/onnx/mod.ts", "src/api/graph_builder.ts"],
  ["src/onnx/mod.ts", "src/api/ml_context.ts"],
  ["src/onnx/mod.ts", "ffi/files.ts"],
  ["src/onnx/mod.ts", "ffi/partial_file.ts"],
  ["src/polyfill.ts", "src/api/"],
  ["src/polyfill.ts", "src/compat/"],
  ["serve/", "mod.ts"],
  ["serve/", "src/onnx/mod.ts"],
  ["cli/", "mod.ts"],
  ["cli/", "src/onnx/mod.ts"],
  ["cli/", "serve/mod.ts"],
  // A checkout uses it instead of jsr:@std/cli.
  ["cli/", "support/std/cli.ts"],
  ["mod.ts", "src/api/"],
];

/** Where the global `Deno` may be used; everything else is plain TypeScript over web APIs. */
const DENO_ROOMS = ["ffi/", "cli/", "serve/"];

/** Folders with their own deno.json, for their own dependencies. */
const PACKAGES = ["cli/", "serve/"];

/** One import of a module of the product. */
interface Import {
  readonly from: string;
  readonly to: string;
  readonly how: "static" | "types" | "dynamic";
}

/** The imports between files of the repository. */
function importsOf(graph: ModuleGraph, root: string): Import[] {
  return graph.modules.flatMap(({ specifier, dependencies = [] }) => {
    const from = pathBelow(root, specifier);
    if (from === undefined || !isProduct(from)) return [];
    return dependencies.flatMap(({ code, type, isDynamic }) => {
      const to = pathBelow(root, code?.specifier ?? type?.specifier ?? "");
      const how = code === undefined ? "types" : isDynamic ? "dynamic" : "static";
      return to === undefined ? [] : [{ from, to, how }];
    });
  });
}

/** The imports that no arrow allows, as text. */
function disallowedImports(imports: readonly Import[]): string[] {
  return imports.filter(({ from, to, how }) => !isAllowed(from, to, how)).map(({ from, to, how }) =>
    `${from} -> ${to} (${how})`
  );
}

/**
 * Import cycles, with imports of any kind: between modules; between the folders and files of a room; between rooms.
 */
function cycles(imports: readonly Import[]): string[] {
  const found = [(path: string) => path, folder, room].flatMap((unit) => {
    const targets = new Map<string, Set<string>>();
    for (const { from, to } of imports) {
      if (unit(from) !== unit(to)) targets.getOrInsertComputed(unit(from), () => new Set()).add(unit(to));
    }
    return [...targets.keys()].map((start) => cycleFrom(start, targets));
  });
  return [...new Set(found.filter((cycle) => cycle !== undefined))];
}

/** The shortest path from a unit back to itself. A cycle has the same text for all its units. */
function cycleFrom(start: string, targets: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const before = new Map<string, string>();
  const queue = [start];
  for (const unit of queue) {
    for (const target of targets.get(unit) ?? []) {
      if (before.has(target)) continue;
      before.set(target, unit);
      queue.push(target);
    }
  }
  if (!before.has(start)) return undefined;
  const path = [start];
  for (let unit = before.get(start)!; unit !== start; unit = before.get(unit)!) path.unshift(unit);
  const first = path.indexOf(path.toSorted()[0]!);
  const rotated = [...path.slice(first), ...path.slice(0, first)];
  return [...rotated, rotated[0]].join(" -> ");
}

function isAllowed(from: string, to: string, how: "static" | "types" | "dynamic"): boolean {
  if (LEAVES.includes(to)) return from.startsWith("src/");
  if (LEAVES.includes(from)) return false;
  if (room(from) === room(to)) return true;
  return ARROWS.some(([source, target, only]) =>
    matches(source, from) && matches(target, to) && (only === undefined || only === how)
  );
}

/** The room of a module: the folder in which modules may import each other. A file outside of these is its own room. */
function room(path: string): string {
  return /^(ffi|cli|serve|src\/backends\/[^/]+|src\/(?!backends\/)[^/]+)\//.exec(path)?.[0] ?? path;
}

/** The subfolder of a room that a module is in; the module itself if it is directly in the room. */
function folder(path: string): string {
  const inside = /^[^/]+\//.exec(path.slice(room(path).length));
  return inside ? room(path) + inside[0] : path;
}

function matches(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(".", "\\.").replaceAll("*", "(?!common/)[^/]+");
  return new RegExp(`^${source}${pattern.endsWith("/") ? "" : "$"}`).test(path);
}

/** Whether a file is published, so that the import rules apply. */
function isProduct(path: string): boolean {
  return path === "mod.ts" || /^(src|ffi|cli|serve)\/.*\.ts$/.test(path);
}

function pathBelow(root: string, specifier: string): string | undefined {
  return specifier.startsWith(root) ? specifier.slice(root.length) : undefined;
}

/** The places where `source` uses `Deno` as a value, a type, or a member of globalThis. Strings do not count. */
function usesOfDeno(path: string, source: string): string[] {
  const lines: string[] = [];
  visit(path, source, {
    Identifier(node) {
      if (node.name !== "Deno") return;
      lines.push(`${path}:${source.slice(0, node.range[0]).split("\n").length}`);
    },
  });
  return lines;
}

/** The statements of `source` other than `export ... from "..."`. */
function otherStatements(path: string, source: string): string[] {
  const others: string[] = [];
  visit(path, source, {
    Program(node) {
      for (const statement of node.body) {
        const reexports = statement.type === "ExportAllDeclaration" ||
          (statement.type === "ExportNamedDeclaration" && statement.source !== null);
        if (!reexports) others.push(source.slice(...statement.range));
      }
    },
  });
  return others;
}

function visit(path: string, source: string, visitor: Deno.lint.LintVisitor): void {
  Deno.lint.runPlugin({ name: "house", rules: { plan: { create: () => visitor } } }, path, source);
}

/** The paths of all published TypeScript files, relative to the root. */
function* productFiles(folder = ""): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    if (entry.isDirectory && /^(src|ffi|cli|serve)\b/.test(path)) yield* productFiles(`${path}/`);
    else if (entry.isFile && isProduct(path)) yield path;
  }
}

async function readModuleGraph(): Promise<ModuleGraph> {
  const files = [...productFiles()];
  const inPackage = (path: string) =>
    PACKAGES.find((name) => path.startsWith(name) && existsSync(new URL(`${name}deno.json`, ROOT)));
  const graphs = await Promise.all(
    [undefined, ...PACKAGES].map((name) => readModules(files.filter((path) => inPackage(path) === name), name)),
  );
  return { modules: [...new Map(graphs.flat().map((module) => [module.specifier, module])).values()] };
}

/** The modules that files import, directly and indirectly, with the configuration of a folder. */
async function readModules(files: readonly string[], folder = ""): Promise<ModuleGraph["modules"]> {
  if (files.length === 0) return [];
  const imports = files.map((path) => `import ${JSON.stringify(new URL(path, ROOT).href)};`);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "info",
      "--json",
      `--config=${folder}deno.json`,
      `data:text/javascript,${encodeURIComponent(imports.join(""))}`,
    ],
    cwd: fileURLToPath(ROOT),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

Deno.test("modules import only what the architecture allows", async () => {
  const graph = await readModuleGraph();
  assertEquals(graph.modules.flatMap(({ error }) => error ?? []), []);
  const seen = graph.modules.map(({ specifier }) => specifier);
  for (const path of productFiles()) {
    assertEquals(seen.includes(new URL(path, ROOT).href), true, `${path} is missing from the module graph`);
  }
  assertEquals(disallowedImports(importsOf(graph, ROOT.href)), []);
});

Deno.test("there are no import cycles, not even of types", async () => {
  assertEquals(cycles(importsOf(await readModuleGraph(), ROOT.href)), []);
});

Deno.test("only ffi/, cli/ and serve/ use the global Deno", () => {
  const sources = [...productFiles()].filter((path) => !DENO_ROOMS.some((allowed) => path.startsWith(allowed)));
  assertEquals(sources.flatMap((path) => usesOfDeno(path, Deno.readTextFileSync(new URL(path, ROOT)))), []);
});

Deno.test("no file outside of tests/ imports from it, except in hardware/", () => {
  const sources = ["bench", "support", "examples", "src", "ffi"].flatMap((folder) => [...sourcesBelow(`${folder}/`)]);
  const importing = sources.filter((path) => /["'`](\.\.\/)+tests\//.test(Deno.readTextFileSync(new URL(path, ROOT))));
  assertEquals(importing, []);
});

function* sourcesBelow(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    if (entry.isDirectory) yield* sourcesBelow(`${folder}${entry.name}/`);
    else if (entry.name.endsWith(".ts")) yield folder + entry.name;
  }
}

Deno.test("mod.ts only re-exports", () => {
  assertEquals(otherStatements("mod.ts", Deno.readTextFileSync(new URL("mod.ts", ROOT))), []);
});

Deno.test("the check of imports finds each kind of disallowed import", () => {
  const root = "file:///house/";
  const imports = (from: string, to: string, how: "static" | "types" | "dynamic") => {
    const target = { specifier: to.includes(":") ? to : root + to };
    const dependency = how === "types"
      ? { specifier: to, type: target }
      : { specifier: to, code: target, isDynamic: how === "dynamic" };
    return disallowedImports(importsOf({ modules: [{ specifier: root + from, dependencies: [dependency] }] }, root));
  };
  const allowed = [
    ["src/ops/softmax.ts", "src/ops/checks.ts", "static"],
    ["src/ops/softmax.ts", "src/shape.ts", "static"],
    ["src/rewrite/rows.ts", "src/ops/rows.ts", "static"],
    ["src/backends/onnxruntime/device.ts", "src/rewrite/rewrite.ts", "static"],
    ["src/shape.ts", "src/data_type.ts", "static"],
    ["src/timeline/timeline.ts", "src/graph/graph.ts", "types"],
    ["src/api/ml.ts", "src/backends/select.ts", "static"],
    ["src/api/ml.ts", "src/api/context.ts", "static"],
    ["src/backends/select.ts", "src/backends/onnxruntime/backend.ts", "dynamic"],
    ["src/backends/onnxruntime/lowering.ts", "src/ops/rows.ts", "types"],
    ["src/backends/onnxruntime/lowering.ts", "ffi/onnxruntime/api.ts", "static"],
    ["src/backends/onnxruntime/backend.ts", "src/backends/backend.ts", "types"],
    ["src/backends/onnxruntime/nodes/pool.ts", "src/backends/onnxruntime/onnx.ts", "static"],
    ["src/backends/onnxruntime/tensor.ts", "src/backends/common/memory.ts", "static"],
    ["src/backends/onnxruntime/lower.ts", "src/rewrite/rewrite.ts", "static"],
    ["src/backends/common/memory.ts", "ffi/available_memory.ts", "static"],
    ["src/rewrite/layer_norm.ts", "src/ops/rows.ts", "static"],
    ["src/options.ts", "src/webidl/converters.ts", "static"],
    ["src/api/ml.ts", "src/options.ts", "static"],
    ["src/api/context.ts", "src/interop/webgpu.ts", "static"],
    ["src/interop/webgpu.ts", "src/timeline/timeline.ts", "static"],
    ["src/onnx/rows/pool.ts", "src/api/builder.ts", "types"],
    ["src/onnx/mod.ts", "mod.ts", "static"],
    ["src/onnx/mod.ts", "ffi/files.ts", "static"],
    ["src/compat/devices.ts", "src/api/graph.ts", "static"],
    ["src/polyfill.ts", "src/api/ml.ts", "static"],
    ["cli/main.ts", "mod.ts", "static"],
    ["cli/main.ts", "serve/mod.ts", "static"],
    ["cli/main.ts", "npm:some-package@1.0.0", "static"],
    ["serve/handler.ts", "src/onnx/mod.ts", "static"],
    ["mod.ts", "src/api/ml.ts", "static"],
    ["tests/any_test.ts", "src/ops/softmax.ts", "static"],
  ] as const;
  const disallowed = [
    ["src/shape.ts", "src/graph/graph.ts", "types"],
    ["src/webidl/converters.ts", "src/graph/graph.ts", "types"],
    ["src/graph/graph.ts", "src/ops/rows.ts", "types"],
    ["src/ops/softmax.ts", "src/rewrite/rewrite.ts", "types"],
    ["src/rewrite/rows.ts", "src/backends/backend.ts", "types"],
    ["src/ops/softmax.ts", "src/api/builder.ts", "types"],
    ["src/timeline/timeline.ts", "src/backends/onnxruntime/backend.ts", "static"],
    ["src/backends/onnxruntime/lowering.ts", "src/ops/rows.ts", "static"],
    ["src/backends/onnxruntime/lowering.ts", "src/ops/rows.ts", "dynamic"],
    ["src/backends/onnxruntime/backend.ts", "src/backends/coreml/backend.ts", "types"],
    ["src/backends/onnxruntime/backend.ts", "src/backends/select.ts", "static"],
    ["src/backends/backend.ts", "ffi/memory.ts", "static"],
    ["src/backends/common/memory.ts", "src/graph/graph.ts", "types"],
    ["src/backends/common/memory.ts", "src/backends/onnxruntime/backend.ts", "types"],
    ["src/rewrite/layer_norm.ts", "src/backends/onnxruntime/lower.ts", "types"],
    ["src/ops/softmax.ts", "src/rewrite/rewrite.ts", "static"],
    ["src/options.ts", "src/backends/select.ts", "types"],
    ["src/webidl/converters.ts", "src/options.ts", "types"],
    ["src/interop/webgpu.ts", "src/api/tensor.ts", "types"],
    ["src/timeline/timeline.ts", "src/interop/webgpu.ts", "types"],
    ["src/onnx/rows/pool.ts", "src/api/builder.ts", "static"],
    ["src/onnx/rows/pool.ts", "mod.ts", "static"],
    ["src/onnx/mod.ts", "ffi/library.ts", "static"],
    ["src/api/graph.ts", "src/compat/devices.ts", "static"],
    ["src/backends/select.ts", "src/backends/onnxruntime/backend.ts", "static"],
    ["src/api/context.ts", "src/backends/select.ts", "static"],
    ["src/api/ml.ts", "src/backends/onnxruntime/backend.ts", "dynamic"],
    ["src/api/ml.ts", "ffi/library.ts", "static"],
    ["src/api/ml.ts", "support/std/assert.ts", "static"],
    ["cli/main.ts", "src/api/ml.ts", "static"],
    ["serve/handler.ts", "src/onnx/node.ts", "static"],
    ["serve/handler.ts", "cli/main.ts", "types"],
    ["mod.ts", "cli/main.ts", "dynamic"],
    ["ffi/library.ts", "src/errors.ts", "static"],
    ["mod.ts", "src/backends/select.ts", "static"],
    ["mod.ts", "src/polyfill.ts", "static"],
  ] as const;
  for (const [from, to, how] of allowed) assertEquals(imports(from, to, how), []);
  for (const [from, to, how] of disallowed) assertEquals(imports(from, to, how), [`${from} -> ${to} (${how})`]);
});

Deno.test("the check of cycles finds them between modules, folders and rooms, with imports of any kind", () => {
  const kinds = ["static", "types", "dynamic"] as const;
  const cyclesOf = (...arrows: readonly string[]) =>
    cycles(arrows.map((arrow, i) => {
      const [from, to] = arrow.split(" -> ") as [string, string];
      return { from, to, how: kinds[i % kinds.length]! };
    }));
  assertEquals(cyclesOf("src/api/a.ts -> src/api/b.ts", "src/api/c.ts -> src/api/a.ts"), []);
  const pair = ["src/api/a.ts -> src/api/b.ts", "src/api/b.ts -> src/api/a.ts"];
  assertEquals(cyclesOf(...pair), ["src/api/a.ts -> src/api/b.ts -> src/api/a.ts"]);
  const three = ["src/ops/c.ts -> src/ops/a.ts", "src/ops/a.ts -> src/ops/b.ts", "src/ops/b.ts -> src/ops/c.ts"];
  assertEquals(cyclesOf(...three), ["src/ops/a.ts -> src/ops/b.ts -> src/ops/c.ts -> src/ops/a.ts"]);
  const room = "src/backends/onnxruntime";
  const upwards = [`${room}/session.ts -> ${room}/providers/a.ts`, `${room}/providers/b.ts -> ${room}/session.ts`];
  assertEquals(cyclesOf(...upwards), [`${room}/providers/ -> ${room}/session.ts -> ${room}/providers/`]);
  assertEquals(cyclesOf(upwards[0]!, `${room}/providers/b.ts -> ${room}/other.ts`), []);
  const rooms = ["src/api/a.ts -> src/ops/a.ts", "src/ops/b.ts -> src/api/b.ts"];
  assertEquals(cyclesOf(...rooms), ["src/api/ -> src/ops/ -> src/api/"]);
});

Deno.test("the checks of Deno and mod.ts find values, types and statements, but not strings or comments", () => {
  const naming = "let p: Deno.PointerValue;\nglobalThis.Deno;\n// Deno\nconst Denominator = 'Deno';\nDeno.exit();";
  assertEquals(usesOfDeno("a.ts", naming), ["a.ts:1", "a.ts:2", "a.ts:5"]);
  const statements = 'export * from "./a.ts"; export type { B } from "./b.ts"; import "./c.ts"; export const d = 1;';
  assertEquals(otherStatements("mod.ts", statements), ['import "./c.ts";', "export const d = 1;"]);
});
