/**
 * Errors as one line for the user.
 *
 * @module
 */

/** The command line is wrong: the exit status is 2. */
export class UsageError extends Error {}

/** The command failed, with a message for the user: the exit status is 1. */
export class Failure extends Error {}

/** Why a file cannot be read or written, by Deno's class of error. */
const FILE_PROBLEMS: readonly (readonly [Error: abstract new (...args: never[]) => Error, text: string])[] = [
  [Deno.errors.NotFound, "there is no such file or folder"],
  [Deno.errors.PermissionDenied, "permission denied"],
  [Deno.errors.NotCapable, "Deno was started without permission for it"],
  [Deno.errors.IsADirectory, "this is a folder, not a file"],
  [Deno.errors.NotADirectory, "a part of the path is a file, not a folder"],
  [Deno.errors.AlreadyExists, "a file or folder of that name already exists"],
];

/** Why a file cannot be read or written, for errors that only have a code. */
const CODES: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EISDIR: "this is a folder, not a file",
  EROFS: "the file system is read-only",
  ENOTEMPTY: "a folder of that name already exists",
};

/** Does some work with a file. If it fails, the error names the file. */
export async function namingFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Wraps an error in one that names the file and the reason. Errors for the user stay unchanged. */
export function fileError(path: string, error: unknown): Error {
  if (error instanceof UsageError || error instanceof Failure) return error;
  const reason = fileProblem(error) ?? messageOf(error);
  return new Failure(reason.startsWith(path) ? reason : `${path}: ${reason}`, { cause: error });
}

/** The reason of an error of the file system; undefined for other errors. */
function fileProblem(error: unknown): string | undefined {
  const row = FILE_PROBLEMS.find(([kind]) => error instanceof kind);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return row?.[1] ?? CODES[code];
}

/** How many lines of an error are shown after the first. */
const MORE_LINES = 3;

/** The message of an error, joined into one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const [first = "", ...rest] = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (rest.length === 0) return first;
  const more = rest.length > MORE_LINES ? ` and ${rest.length - MORE_LINES} more` : "";
  return `${first} ${rest.slice(0, MORE_LINES).join("; ")}${more}`;
}
