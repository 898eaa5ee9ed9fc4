/** Finds web-platform-tests: a checkout that the user names, or a sparse, shallow clone in the cache. */

import { join } from "node:path";
import { cacheDirectory } from "../../support/cache_directory.ts";

const REPOSITORY = "https://github.com/web-platform-tests/wpt.git";
const FOLDERS = ["webnn", "resources", "interfaces", "common"];

/** Commit and date of a checkout; `undefined` if git does not know them. */
export interface Revision {
  commit: string;
  date: string;
}

/** The path of the checkout: `directory`, or `WPT_DIR`, or a clone in the cache, which is created if necessary. */
export async function findCheckout(directory: string | undefined): Promise<string> {
  const named = directory ?? Deno.env.get("WPT_DIR");
  const root = named ?? join(cacheDirectory(), "wpt");
  if (named === undefined && !isCheckout(root)) await clone(root);
  if (!isCheckout(root)) {
    throw new Error(`${root} is not a checkout of web-platform-tests: no resources/testharness.js, or no webnn folder`);
  }
  return await Deno.realPath(root);
}

export async function readRevision(root: string): Promise<Revision | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", root, "log", "-1", "--format=%H %cs"],
      stderr: "null",
    }).output();
    const [commit, date] = new TextDecoder().decode(stdout).trim().split(" ");
    return success && commit && date ? { commit, date } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isCheckout(root: string): boolean {
  return exists(join(root, "resources", "testharness.js")) && exists(join(root, "webnn"));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

async function clone(root: string): Promise<void> {
  console.error(
    `Cloning ${FOLDERS.join(", ")} of ${REPOSITORY} to ${root}; to use another checkout, pass --wpt or set WPT_DIR`,
  );
  await Deno.remove(root, { recursive: true }).catch(() => {});
  const sparse = ["--depth", "1", "--filter", "blob:none", "--sparse", "--progress"];
  await git(["clone", ...sparse, REPOSITORY, root]);
  await git(["-C", root, "sparse-checkout", "set", ...FOLDERS]);
}

async function git(args: string[]): Promise<void> {
  const { success, code } = await new Deno.Command("git", { args, env: { GIT_TERMINAL_PROMPT: "0" } }).spawn().status;
  if (!success) {
    throw new Error(
      `git ${args[0]} failed with status ${code}: clone ${REPOSITORY} yourself, and pass its folder with --wpt DIR`,
    );
  }
}
