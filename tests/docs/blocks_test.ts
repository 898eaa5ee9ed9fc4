/**
 * Runs every block of code in README and docs as it is written, in a folder with only the files that a reader would
 * have: a program, models, a photo. `jsr:@webnn/deno` and the other packages are those of this checkout, packed.
 *
 * All TypeScript runs in one process, one block after the other. Each shell block runs in `sh`, in the folder of its page.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Block, blocksOf, pages, ROOT } from "./pages.ts";
import { packPackages, projectConfiguration } from "./packages.ts";
import { writeReaderFiles } from "./reader_files.ts";

const blocks = pages().flatMap((page) => blocksOf(page));
const running = blocks.filter(({ skipped }) => skipped === undefined);
const placeOf = ({ page, line }: Block) => `${page}:${line}`;

/** A program that imports the files in its arguments, and writes their errors to errors.json. */
const IMPORTER = `
const errors = {};
for (const file of Deno.args) {
  Deno.chdir(new URL(".", file));
  try { await import(file); } catch (error) { errors[file] = String(error?.stack ?? error); }
}
await Deno.writeTextFile(new URL("errors.json", import.meta.url), JSON.stringify(errors));
`;

/** A folder with the packed packages, a program `webnn`, and a folder for each page. */
async function makeProject(): Promise<string> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const packages = join(folder, "packages");
  await packPackages(packages);
  await Deno.writeTextFile(join(folder, "deno.json"), projectConfiguration(packages));
  await Deno.writeTextFile(join(folder, "import.ts"), IMPORTER);
  const bin = join(folder, "bin");
  await Deno.mkdir(bin);
  // As `deno install -gA -n webnn jsr:@webnn/cli` writes it.
  const command = `exec deno run --quiet -A --config '${join(folder, "deno.json")}' jsr:@webnn/cli "$@"`;
  await Deno.writeTextFile(join(bin, "webnn"), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  return folder;
}

/** Creates the folder in which the blocks of a page run, with the reader's files. */
async function makePageFolder(project: string, block: Block): Promise<string> {
  const folder = join(project, block.page.replaceAll(/\W/g, "_") + (block.inCheckout ? "_checkout" : ""));
  try {
    await Deno.mkdir(folder);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return folder;
    throw error;
  }
  if (block.inCheckout) {
    for (const { name } of Deno.readDirSync(ROOT)) {
      if (name !== ".git") await Deno.symlink(fileURLToPath(new URL(name, ROOT)), join(folder, name));
    }
  }
  await writeReaderFiles(folder);
  return folder;
}

async function runTypeScript(project: string): Promise<void> {
  const files = new Map<string, string>();
  for (const block of running.filter(({ language }) => language === "ts")) {
    const file = join(await makePageFolder(project, block), `line_${block.line}.ts`);
    await Deno.writeTextFile(file, block.text);
    files.set(pathToFileURL(file).href, placeOf(block));
  }
  const args = ["run", "--quiet", "--no-check", "-A", "import.ts", ...files.keys()];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: project, stdin: "null" }).output();
  const report = await Deno.readTextFile(join(project, "errors.json")).catch(() => "{}");
  const errors = Object.entries(JSON.parse(report)).map(([file, error]) => `${files.get(file)}: ${error}`);
  assertEquals([code, errors], [0, []], `${errors.join("\n")}\n${new TextDecoder().decode(stderr)}`);
}

async function runShell(project: string, block: Block): Promise<void> {
  const path = [join(project, "bin"), dirname(Deno.execPath()), Deno.env.get("PATH")].join(":");
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-e", "-c", block.text],
    cwd: await makePageFolder(project, block),
    env: { PATH: path, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, `${placeOf(block)} failed:\n${block.text}\n${printed}`);
}

Deno.test("all blocks of code in README and docs run as written", async (t) => {
  const project = await makeProject();
  try {
    await t.step("TypeScript", () => runTypeScript(project));
    for (const block of running.filter(({ language }) => language === "sh")) {
      // On Windows there is no sh.
      const ignore = Deno.build.os === "windows";
      await t.step({ name: placeOf(block), ignore, fn: () => runShell(project, block) });
    }
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});

for (const block of blocks.filter(({ skipped }) => skipped !== undefined)) {
  Deno.test({ name: `${placeOf(block)} is not run: it ${block.skipped}`, ignore: true, fn() {} });
}

Deno.test("a block is rejected unless it says how to run it, or why it is not run", () => {
  const read = (info: string) => blocksOf(new URL("docs/cache.md", ROOT), `text\n\n\`\`\`${info}\nx;\n\`\`\`\n`);
  const line = { page: "docs/cache.md", line: 3, text: "x;\n" };
  assertEquals(read("ts"), [{ ...line, language: "ts", inCheckout: false }]);
  assertEquals(read("sh checkout"), [{ ...line, language: "sh", inCheckout: true }]);
  assertEquals(read("py python: the same"), [
    { ...line, language: "py", inCheckout: false, skipped: "is Python: the same" },
  ]);
  assertEquals(read("text"), []);
  for (
    const info of [
      "",
      "ts ignore",
      "ts network",
      "sh network: ",
      "py",
      "rust",
      "text network",
      "sh checkout: x",
      "sh network: `x`",
    ]
  ) {
    assertThrows(() => read(info), Error, "docs/cache.md:3");
  }
});
