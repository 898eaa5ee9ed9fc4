/**
 * Opens shared libraries safely.
 *
 * The system's loader maps a file and trusts its tables, so a truncated library would crash the process. Therefore the
 * tables are checked first. And when an isolate ends, Deno unloads the libraries it has opened, even if a call on
 * another thread is still running. Therefore the library is pinned for the life of the process, and Deno's handle is
 * closed at once: pointers into the library stay valid, and no resource stays open.
 *
 * @module
 */

import { checkBinary } from "./binary_format.ts";
import { LibraryError } from "./library_error.ts";
import { pin, withFile } from "./system.ts";

export { LibraryError };

/**
 * Checks that a file is a complete shared library for this system, without loading it.
 *
 * @throws {LibraryError} if it is not
 */
export function verifyLibrary(path: string): void {
  withFfiPermission(path, () => withFile(path, (file) => checkBinary(file, Deno.build)));
}

/**
 * Verifies, opens and pins a library, and passes its symbols to `use`. Call them only there; pointers that they return
 * stay valid.
 *
 * @throws {LibraryError} if the library cannot be used
 */
export function openLibrary<const Symbols extends Deno.ForeignLibraryInterface, Result>(
  path: string,
  symbols: Symbols,
  use: (symbols: Deno.StaticForeignLibraryInterface<Symbols>) => Result,
): Result {
  // Without a separator, the loader would search its own folders, and might find another file than the verified one.
  const file = /[/\\]/.test(path) ? path : `./${path}`;
  verifyLibrary(file);
  return openSystemLibrary(file, symbols, use);
}

/**
 * Opens and pins a library of the operating system without verifying it, and passes its symbols to `use`: on macOS such
 * a library is not a readable file, but part of the loader's cache.
 *
 * @throws {LibraryError} if the library cannot be used
 */
export function openSystemLibrary<const Symbols extends Deno.ForeignLibraryInterface, Result>(
  path: string,
  symbols: Symbols,
  use: (symbols: Deno.StaticForeignLibraryInterface<Symbols>) => Result,
): Result {
  return withFfiPermission(path, () => {
    const pinned = pin(path);
    const library = load(path, symbols);
    try {
      if (!pinned) throw new LibraryError(`${path} could not be pinned in the process; free some memory`);
      return use(library.symbols);
    } finally {
      library.close();
    }
  });
}

/** An environment variable, if the program may already read it. Never prompts for the permission. */
export function readEnvironment(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

function load<const Symbols extends Deno.ForeignLibraryInterface>(
  path: string,
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols> {
  try {
    return Deno.dlopen(path, symbols);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LibraryError(`${path} could not be loaded; install the missing library: ${reason}`, { cause });
  }
}

function withFfiPermission<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof LibraryError) throw cause;
    // With a list of paths, Deno takes the name of a system library for a file path, and finds none.
    const isNarrow = Deno.permissions.querySync({ name: "ffi" }).state !== "granted";
    if (!isNarrow && !(cause instanceof Deno.errors.NotCapable)) throw cause;
    const remedy = "run Deno with --allow-ffi, without a list of paths (native pointers require it for all paths)";
    throw new LibraryError(`${path} may not be opened; ${remedy}`, { cause });
  }
}

/** The entries of a path list, with this system's separator (as in PATH). */
export function readPathList(list: string): string[] {
  return list.split(Deno.build.os === "windows" ? ";" : ":").filter((path) => path !== "");
}

/** Whether the system's loader finds a library by name, and everything it depends on. */
export function isLoadable(name: string): boolean {
  try {
    Deno.dlopen(name, {}).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * The libraries among `names` (without prefix and suffix such as `lib` and `.so`) that are not in the folder of `path`.
 */
export function missingBeside(path: string, names: readonly string[]): string[] {
  const { prefix, suffix } = FILE_NAMES[Deno.build.os as keyof typeof FILE_NAMES] ?? FILE_NAMES.linux;
  const folder = path.replace(/[^/\\]*$/, "");
  return names.map((name) => `${prefix}${name}${suffix}`).filter((file) => !isValidLibrary(folder + file));
}

const FILE_NAMES = {
  linux: { prefix: "lib", suffix: ".so" },
  darwin: { prefix: "lib", suffix: ".dylib" },
  windows: { prefix: "", suffix: ".dll" },
};

function isValidLibrary(path: string): boolean {
  try {
    verifyLibrary(path);
    return true;
  } catch (error) {
    if (error instanceof LibraryError) return false;
    throw error;
  }
}
