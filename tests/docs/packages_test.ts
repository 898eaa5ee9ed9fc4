/**
 * Checks the packages as they would be published: their files, and that they work without the repository.
 * tests/docs/blocks_test.ts runs the code in the documentation on them.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGES, packPackages, projectConfiguration, publishedFiles } from "./packages.ts";
import { ROOT } from "./pages.ts";
import { writeReaderFiles } from "./reader_files.ts";

interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly exports: string | Readonly<Record<string, string>>;
}

const configurations: Configuration[] = PACKAGES.map((folder) =>
  JSON.parse(Deno.readTextFileSync(new URL(`${folder}/deno.json`, ROOT)))
);

/** A user's program that imports every entry point of every package, except the command line, which is run. */
const PROGRAM = `
import * as module from "jsr:@webnn/deno";
import * as onnx from "jsr:@webnn/deno/onnx";
import "jsr:@webnn/deno/polyfill";
import { createHandler } from "jsr:@webnn/serve";

const model = await onnx.loadOnnx("model.onnx", { dimensions: { batch: 1 } });
const { y } = await model.run({ x: new Float32Array(3 * 224 * 224).fill(1) });
await using handler = await createHandler(["model.onnx"]);
const { name } = await (await handler(new Request("http://localhost/v2/models/model"))).json();
console.log(JSON.stringify([module.ml === navigator.ml, y.shape, y.data.some((value) => value > 0), name]));
`;

async function run(folder: string, ...args: string[]): Promise<string> {
  const options = { args: ["run", "--quiet", "--no-check", ...args], cwd: folder, stdin: "null" as const };
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("in an empty folder, the published files are enough to run a model, the server and the command line", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await packPackages(join(folder, "packages"));
    await Deno.writeTextFile(join(folder, "deno.json"), projectConfiguration(join(folder, "packages")));
    await writeReaderFiles(folder);
    await Deno.writeTextFile(join(folder, "program.ts"), PROGRAM);
    const printed = await run(folder, "--allow-ffi", "--allow-read", "program.ts");
    assertEquals(JSON.parse(printed), [true, [1, 8], true, "model"]);
    const answer = JSON.parse(await run(folder, "-A", "jsr:@webnn/cli", "run", "model.onnx", "--json"));
    assertEquals(answer.outputs[0].shape, [1, 8]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const [i, folder] of PACKAGES.entries()) {
  const { name, version, description = "", license, exports } = configurations[i]!;
  Deno.test(`${name} has the files and fields that JSR requires, and no unnecessary files`, async () => {
    const files = await publishedFiles(folder);
    const entries = Object.values(typeof exports === "string" ? { ".": exports } : exports);
    for (const file of ["README.md", "LICENSE", "deno.json", ...entries.map((entry) => entry.replace("./", ""))]) {
      assert(files.includes(file), `${name} lacks ${file}`);
    }
    assertEquals(
      files.filter((file) => /(^|\/)(tests?|bench(es|marks)?\/(?!\w+\.ts)|shared)\/|_test\.ts$/.test(file)),
      [],
    );
    // JSR's limits are 250 characters for the description and 20 MB for the files.
    assert(description.length > 20 && description.length <= 250, `${name}: ${description.length} characters`);
    assertEquals([version, license], [configurations[0]!.version, "Apache-2.0"]);
    const bytes = files.map((file) => Deno.statSync(new URL(`${folder}/${file}`, ROOT)).size);
    assert(bytes.reduce((sum, size) => sum + size, 0) < 5e6);
  });

  // JSR's score requires a module doc with an example. `deno doc --lint` checks the symbols, below.
  Deno.test(`${name}: each entry point has a module doc with an example`, async () => {
    const paths = typeof exports === "string" ? [exports] : Object.values(exports);
    for (const path of paths) {
      const source = await Deno.readTextFile(fileURLToPath(new URL(`${folder}/${path}`, ROOT)));
      const [comment] = /^(?:#!.*\n)?\/\*\*[\s\S]*?\*\//.exec(source) ?? [""];
      assert(comment.includes("@module"), `${path} has no module doc`);
      assert(comment.includes("```"), `${path}: its module doc has no example`);
    }
  });
}

Deno.test("all exported symbols are documented, and refer to no private types", async () => {
  // Runs in each folder, whose configuration maps its imports. With mod.ts, the module's types count as public.
  await Promise.all(PACKAGES.map(async (folder, i) => {
    const { exports } = configurations[i]!;
    const entries = Object.values(typeof exports === "string" ? [exports] : exports);
    const args = ["doc", "--quiet", "--lint", ...entries, ...(folder === "." ? [] : ["../mod.ts"])];
    const options = { args, cwd: fileURLToPath(new URL(`${folder}/`, ROOT)), stdin: "null" } as const;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), options).output();
    assert(success, new TextDecoder().decode(stderr));
  }));
});
