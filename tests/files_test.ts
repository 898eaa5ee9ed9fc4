/** Checks the limits for files in CONTRIBUTING.md, and that of the README. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);
const ROOMS = ["bench/", "cli/", "examples/", "ffi/", "hardware/", "serve/", "src/", "support/", "tests/"];
const MAX_LINES = 500;

/** Most of it is documentation of the builder's methods. */
const LONGER = ["src/api/ml_graph_builder.ts"];

function* sources(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    // The suite imitates scripts of web-platform-tests.
    if (isDirectory && name !== "node_modules" && name !== "suite") yield* sources(new URL(`${name}/`, folder));
    if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

const files = ROOMS.flatMap((room) => Array.from(sources(new URL(room, ROOT))));
const pathOf = (file: URL) => file.href.slice(ROOT.href.length);

Deno.test(`sources have at most ${MAX_LINES} lines`, async () => {
  assertStringIncludes(await Deno.readTextFile(new URL("CONTRIBUTING.md", ROOT)), `at most ${MAX_LINES} lines`);
  const long = files.filter((file) => Deno.readTextFileSync(file).split("\n").length - 1 > MAX_LINES).map(pathOf);
  assertEquals(long.filter((path) => !LONGER.includes(path)), []);
});

Deno.test("the README has at most 150 lines", () => {
  const lines = Deno.readTextFileSync(new URL("README.md", ROOT)).split("\n").length - 1;
  assert(lines <= 150, `it has ${lines}`);
});

Deno.test("names of sources are snake_case", () => {
  const names = files.map((file) => fileURLToPath(file).split(/[\\/]/).at(-1)!);
  assertEquals(names.filter((name) => !/^[a-z0-9]+(_[a-z0-9]+)*\.ts$/.test(name)), []);
});
