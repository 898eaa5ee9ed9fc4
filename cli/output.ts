/**
 * Files that a command writes: whole or not at all.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Writes files, by path; missing folders are made. Where one cannot be written, or Ctrl-C ends the program meanwhile,
 * none is left behind, nor is a folder that was made for them.
 */
export async function writeFiles(
  terminal: Terminal,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  const made = new Made();
  using _ = terminal.onInterrupt(() => made.remove());
  try {
    const renames: [from: string, to: string][] = [];
    for (const [path, content] of files) {
      await naming(path, async () => {
        made.addFolders(dirname(path));
        const place = isReplaceable(path) ? made.beside(path) : path;
        if (typeof content === "string") await Deno.writeTextFile(place, content);
        else await Deno.writeFile(place, content);
        if (place !== path) renames.push([place, path]);
      });
    }
    for (const [from, to] of renames) await naming(to, () => Deno.rename(from, to));
  } catch (error) {
    made.remove();
    throw error;
  }
}

/** What was made so far, to be removed if the rest cannot be. */
class Made {
  readonly #paths: string[] = [];

  /** Makes a folder, and those above it that are missing. */
  addFolders(folder: string): void {
    if (exists(folder)) return;
    this.addFolders(dirname(folder));
    Deno.mkdirSync(folder);
    this.#paths.push(folder);
  }

  /** A path for a file that gets another name when it is whole. */
  beside(path: string): string {
    const place = `${path}.${crypto.randomUUID()}.part`;
    this.#paths.push(place);
    return place;
  }

  remove(): void {
    for (const path of this.#paths.toReversed()) {
      try {
        Deno.removeSync(path);
      } catch {
        // It has not come to be, or somebody else uses it.
      }
    }
  }
}

async function naming(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw fileError(path, error);
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether another file may take the place of this one: a device such as /dev/stdout is written to as it is. */
function isReplaceable(path: string): boolean {
  return !exists(path) || Deno.statSync(path).isFile;
}
