/**
 * The house plan as tests: which module may import which, who may name the global `Deno`, what `mod.ts` may hold.
 */
import { assertEquals } from "@std/assert";
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

/** One imported specifier. Without `code` it is imported for its types only. */
interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
  readonly isDynamic?: boolean;
}

/** Imported anywhere in src/, and importing nothing but one another. */
const LEAVES = ["src/errors.ts", "src/data_type.ts", "src/shape.ts"];

/**
 * Who may import whom, beside its own room and the leaves; `*` stands for one name. An arrow that ends in "types" is
 * for `import type`, one that ends in "dynamic" for `import()`.
 */
const ARROWS: readonly (readonly [from: string, to: string, how?: "types" | "dynamic"])[] = [
  ["src/ops/", "src/webidl/"],
  ["src/ops/", "src/graph/"],
  ["src/backends/backend.ts", "src/graph/"],
  ["src/timeline/", "src/backends/backend.ts"],
  ["src/timeline/", "src/graph/", "types"],
  ["src/backends/*/", "src/backends/backend.ts"],
  ["src/backends/*/", "src/graph/"],
  ["src/backends/*/", "src/ops/", "types"],
  ["src/backends/*/", "ffi/"],
  ["src/backends/select.ts", "src/backends/backend.ts"],
  ["src/backends/either.ts", "src/backends/backend.ts"],
  ["src/backends/either.ts", "src/graph/"],
  ["src/backends/select.ts", "src/backends/either.ts"],
  ["src/backends/select.ts", "src/backends/*/", "dynamic"],
  ["src/api/", "src/webidl/"],
  ["src/api/", "src/ops/"],
  ["src/api/", "src/graph/"],
  ["src/api/", "src/timeline/"],
  ["src/api/", "src/backends/backend.ts"],
  ["src/api/ml.ts", "src/backends/select.ts"],
  ["src/polyfill.ts", "src/api/"],
  ["src/polyfill.ts", "src/compat/"],
  ["src/onnx/", "src/api/", "types"],
  ["src/onnx/mod.ts", "mod.ts"],
  ["mod.ts", "src/api/"],
];

/** Where the global `Deno` may be named; everything else is plain TypeScript over web APIs. */
const DENO_ROOMS = ["ffi/"];

/** The imports of `graph` that no arrow allows, each as a line of text. */
function wrongArrows(graph: ModuleGraph, root: string): string[] {
  const wrong: string[] = [];
  for (const { specifier, dependencies = [] } of graph.modules) {
    const from = pathBelow(root, specifier);
    if (from === undefined || !isProduct(from)) continue;
    for (const dependency of dependencies) {
      const to = pathBelow(root, dependency.code?.specifier ?? dependency.type?.specifier ?? "");
      const how = dependency.code === undefined ? "types" : dependency.isDynamic ? "dynamic" : "static";
      if (to !== undefined && !isAllowed(from, to, how)) wrong.push(`${from} -> ${to} (${how})`);
    }
  }
  return wrong;
}

function isAllowed(from: string, to: string, how: "static" | "types" | "dynamic"): boolean {
  if (LEAVES.includes(to)) return from.startsWith("src/");
  if (LEAVES.includes(from)) return false;
  if (room(from) === room(to)) return true;
  return ARROWS.some(([source, target, only]) =>
    matches(source, from) && matches(target, to) && (only === undefined || only === how)
  );
}

/** The folder that a module may move about in freely; a file between the rooms is a room of its own. */
function room(path: string): string {
  return /^(ffi|src\/backends\/[^/]+|src\/(?!backends\/)[^/]+)\//.exec(path)?.[1] ?? path;
}

function matches(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]+");
  return new RegExp(`^${source}${pattern.endsWith("/") ? "" : "$"}`).test(path);
}

/** Whether a file is part of what is published, and so under the import rules. */
function isProduct(path: string): boolean {
  return path === "mod.ts" || /^(src|ffi)\/.*\.ts$/.test(path);
}

function pathBelow(root: string, specifier: string): string | undefined {
  return specifier.startsWith(root) ? specifier.slice(root.length) : undefined;
}

/** The places where `source` names `Deno` as a value, a type, or a member of globalThis; strings do not count. */
function namesDeno(path: string, source: string): string[] {
  const lines: string[] = [];
  visit(path, source, {
    Identifier(node) {
      if (node.name !== "Deno") return;
      lines.push(`${path}:${source.slice(0, node.range[0]).split("\n").length}`);
    },
  });
  return lines;
}

/** The statements of `source` that do something else than `export ... from "..."`. */
function statementsBesideReexports(path: string, source: string): string[] {
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

/** The paths of all TypeScript files below the folders of the product, relative to the root. */
function* productFiles(folder = ""): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    if (entry.isDirectory && /^(src|ffi)\b/.test(path)) yield* productFiles(`${path}/`);
    else if (entry.isFile && isProduct(path)) yield path;
  }
}

async function readModuleGraph(): Promise<ModuleGraph> {
  const imports = [...productFiles()].map((path) => `import ${JSON.stringify(new URL(path, ROOT).href)};`);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", `data:text/javascript,${encodeURIComponent(imports.join(""))}`],
    cwd: fileURLToPath(ROOT),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("imports follow the arrows of the house plan", async () => {
  const graph = await readModuleGraph();
  assertEquals(graph.modules.flatMap(({ error }) => error ?? []), []);
  const seen = graph.modules.map(({ specifier }) => specifier);
  for (const path of productFiles()) {
    assertEquals(seen.includes(new URL(path, ROOT).href), true, `${path} is missing from the module graph`);
  }
  assertEquals(wrongArrows(graph, ROOT.href), []);
});

Deno.test("of the product only ffi/ names the global Deno", () => {
  const sources = [...productFiles()].filter((path) => !DENO_ROOMS.some((allowed) => path.startsWith(allowed)));
  assertEquals(sources.flatMap((path) => namesDeno(path, Deno.readTextFileSync(new URL(path, ROOT)))), []);
});

Deno.test("mod.ts only re-exports", () => {
  assertEquals(statementsBesideReexports("mod.ts", Deno.readTextFileSync(new URL("mod.ts", ROOT))), []);
});

Deno.test("the check of the arrows finds each kind of wrong import", () => {
  const root = "file:///house/";
  const imports = (from: string, to: string, how: "static" | "types" | "dynamic") => {
    const target = { specifier: to.includes(":") ? to : root + to };
    const dependency = how === "types"
      ? { specifier: to, type: target }
      : { specifier: to, code: target, isDynamic: how === "dynamic" };
    return wrongArrows({ modules: [{ specifier: root + from, dependencies: [dependency] }] }, root);
  };
  const right = [
    ["src/ops/softmax.ts", "src/ops/checks.ts", "static"],
    ["src/ops/softmax.ts", "src/shape.ts", "static"],
    ["src/shape.ts", "src/data_type.ts", "static"],
    ["src/timeline/timeline.ts", "src/graph/graph.ts", "types"],
    ["src/api/ml.ts", "src/backends/select.ts", "static"],
    ["src/api/ml.ts", "src/api/context.ts", "static"],
    ["src/backends/select.ts", "src/backends/onnxruntime/backend.ts", "dynamic"],
    ["src/backends/onnxruntime/lowering.ts", "src/ops/rows.ts", "types"],
    ["src/backends/onnxruntime/lowering.ts", "ffi/onnxruntime/api.ts", "static"],
    ["src/backends/onnxruntime/backend.ts", "src/backends/backend.ts", "types"],
    ["src/backends/onnxruntime/nodes/pool.ts", "src/backends/onnxruntime/onnx.ts", "static"],
    ["src/polyfill.ts", "src/api/ml.ts", "static"],
    ["src/onnx/main.ts", "npm:some-package@1.0.0", "static"],
    ["mod.ts", "src/api/ml.ts", "static"],
    ["tests/any_test.ts", "src/ops/softmax.ts", "static"],
  ] as const;
  const wrong = [
    ["src/shape.ts", "src/graph/graph.ts", "types"],
    ["src/webidl/converters.ts", "src/graph/graph.ts", "types"],
    ["src/graph/graph.ts", "src/ops/rows.ts", "types"],
    ["src/ops/softmax.ts", "src/api/builder.ts", "types"],
    ["src/timeline/timeline.ts", "src/backends/onnxruntime/backend.ts", "static"],
    ["src/backends/onnxruntime/lowering.ts", "src/ops/rows.ts", "static"],
    ["src/backends/onnxruntime/lowering.ts", "src/ops/rows.ts", "dynamic"],
    ["src/backends/onnxruntime/backend.ts", "src/backends/coreml/backend.ts", "types"],
    ["src/backends/onnxruntime/backend.ts", "src/backends/select.ts", "static"],
    ["src/backends/backend.ts", "ffi/memory.ts", "static"],
    ["src/backends/select.ts", "src/backends/onnxruntime/backend.ts", "static"],
    ["src/api/context.ts", "src/backends/select.ts", "static"],
    ["src/api/ml.ts", "src/backends/onnxruntime/backend.ts", "dynamic"],
    ["src/api/ml.ts", "ffi/library.ts", "static"],
    ["src/api/ml.ts", "support/std/assert.ts", "static"],
    ["ffi/library.ts", "src/errors.ts", "static"],
    ["mod.ts", "src/backends/select.ts", "static"],
    ["mod.ts", "src/polyfill.ts", "static"],
  ] as const;
  for (const [from, to, how] of right) assertEquals(imports(from, to, how), []);
  for (const [from, to, how] of wrong) assertEquals(imports(from, to, how), [`${from} -> ${to} (${how})`]);
});

Deno.test("the checks of Deno and of mod.ts see values, types and statements, and no strings or comments", () => {
  const naming = "let p: Deno.PointerValue;\nglobalThis.Deno;\n// Deno\nconst Denominator = 'Deno';\nDeno.exit();";
  assertEquals(namesDeno("a.ts", naming), ["a.ts:1", "a.ts:2", "a.ts:5"]);
  const statements = 'export * from "./a.ts"; export type { B } from "./b.ts"; import "./c.ts"; export const d = 1;';
  assertEquals(statementsBesideReexports("mod.ts", statements), ['import "./c.ts";', "export const d = 1;"]);
});
