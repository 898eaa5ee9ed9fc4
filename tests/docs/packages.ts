/**
 * The packages as published on JSR: copies the files that `deno publish` lists to a folder, and creates a configuration
 * that uses them instead of those on JSR.
 */
import { assert } from "@std/assert";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "./pages.ts";

/** The folders of the packages, relative to the repository's root. */
export const PACKAGES = [".", "cli", "serve"] as const;

/** Replaces packages of JSR that the command line uses. */
const STAND_IN = "support/std";

/** The files of a package that `deno publish` would upload, relative to its folder. */
export async function publishedFiles(folder: string): Promise<string[]> {
  const root = new URL(`${folder}/`, ROOT);
  // No types are checked here: `deno task test` also does a dry run with all checks.
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check", "--allow-slow-types"];
  const options = { args, cwd: fileURLToPath(root), env: { NO_COLOR: "1" }, stdin: "null" } as const;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  const printed = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  assert(success, printed);
  return Array.from(printed.matchAll(/^ +(file:\S+) \(/gm), ([, file]) => {
    assert(file!.startsWith(root.href), `${file} is outside of the package ${folder}`);
    return decodeURIComponent(file!.slice(root.href.length));
  }).sort();
}

/**
 * Copies the published files of all packages to `target`, in the same folders as in the repository, because the
 * configurations of cli/ and serve/ have relative paths to the others. (Deno ignores these in packages from JSR.)
 */
export async function packPackages(target: string): Promise<void> {
  const copy = async (path: string) => {
    await Deno.mkdir(dirname(join(target, path)), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), join(target, path));
  };
  await Promise.all(PACKAGES.map(async (folder) => {
    for (const file of await publishedFiles(folder)) await copy(join(folder, file));
  }));
  for (const { name } of Deno.readDirSync(new URL(STAND_IN, ROOT))) await copy(`${STAND_IN}/${name}`);
}

/** The configuration of a project after `deno add jsr:@webnn/deno`, with the packages in a folder instead of JSR's. */
export function projectConfiguration(packages: string): string {
  const { version } = JSON.parse(Deno.readTextFileSync(join(packages, "deno.json")));
  const imports: Record<string, string> = {};
  for (const path of ["", "/onnx", "/polyfill"]) imports[`@webnn/deno${path}`] = `jsr:@webnn/deno@^${version}${path}`;
  const links = [...PACKAGES, STAND_IN].map((folder) => join(packages, folder));
  return JSON.stringify({ imports, links, nodeModulesDir: "none" });
}
