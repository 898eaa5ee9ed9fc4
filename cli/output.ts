/**
 * Writes the files of a command completely or not at all.
 *
 * @module
 */
import { dirname } from "node:path";
import { namingFile } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Writes files, by path, and creates missing folders. If a file cannot be written, or on Ctrl-C, removes all new files
 * and folders.
 */
export async function writeFiles(
  terminal: Terminal,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  const created = new Created();
  using _ = terminal.onInterrupt(() => created.remove());
  try {
    const renames: [from: string, to: string][] = [];
    for (const [path, content] of files) {
      await namingFile(path, async () => {
        created.addFolders(dirname(path));
        const place = isReplaceable(path) ? created.temporaryFor(path) : path;
        if (typeof content === "string") await Deno.writeTextFile(place, content);
        else await Deno.writeFile(place, content);
        if (place !== path) renames.push([place, path]);
      });
    }
    for (const [from, to] of renames) await namingFile(to, () => Deno.rename(from, to));
  } catch (error) {
    created.remove();
    throw error;
  }
}

/** The files and folders that were created, which are removed if a later one fails. */
class Created {
  readonly #paths: string[] = [];

  /** Creates a folder and its missing parents. */
  addFolders(folder: string): void {
    if (exists(folder)) return;
    this.addFolders(dirname(folder));
    Deno.mkdirSync(folder);
    this.#paths.push(folder);
  }

  /** The path of a temporary file, which is renamed to `path` when it is complete. */
  temporaryFor(path: string): string {
    const place = `${path}.${crypto.randomUUID()}.part`;
    this.#paths.push(place);
    return place;
  }

  remove(): void {
    for (const path of this.#paths.toReversed()) {
      try {
        Deno.removeSync(path);
      } catch {
        // It was not created, or another program uses it.
      }
    }
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

/** Whether a file may be replaced by another one. A device such as /dev/stdout may not: it is written to directly. */
function isReplaceable(path: string): boolean {
  return !exists(path) || Deno.statSync(path).isFile;
}
