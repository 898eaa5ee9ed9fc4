/**
 * What went wrong, in one line for the user.
 *
 * @module
 */

/** The command line is not one that the program has: the status is 2. */
export class UsageError extends Error {}

/** What was asked for cannot be done, in words for the user: the status is 1. */
export class Failure extends Error {}

/** Reasons why a file cannot be read or written, by the system's own error. */
const FILE_PROBLEMS: readonly (readonly [Error: abstract new (...args: never[]) => Error, text: string])[] = [
  [Deno.errors.NotFound, "there is no such file or folder"],
  [Deno.errors.PermissionDenied, "permission denied"],
  [Deno.errors.NotCapable, "Deno was started without the permission for it"],
  [Deno.errors.IsADirectory, "this is a folder, not a file"],
  [Deno.errors.NotADirectory, "a part of the path is a file, not a folder"],
  [Deno.errors.AlreadyExists, "there is a file or folder of that name already"],
];

/** Reasons that the system tells by code only. */
const CODES: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EISDIR: "this is a folder, not a file",
  EROFS: "the file system is read-only",
  ENOTEMPTY: "there is a folder of that name already",
};

/** An error that names a file and says why it could not be used. An error in words for the user stays as it is. */
export function fileError(path: string, error: unknown): Error {
  if (error instanceof UsageError || error instanceof Failure) return error;
  return new Failure(`${path}: ${fileProblem(error) ?? messageOf(error)}`, { cause: error });
}

/** Why a file could not be used, if that is what an error of the system says. */
function fileProblem(error: unknown): string | undefined {
  const row = FILE_PROBLEMS.find(([kind]) => error instanceof kind);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return row?.[1] ?? CODES[code];
}

/** Of an error with a list, so many lines are told. */
const LINES = 3;

/** What an error says, in one line, however many it has itself. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const [first = "", ...rest] = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (rest.length === 0) return first;
  const more = rest.length > LINES ? ` and ${rest.length - LINES} more` : "";
  return `${first} ${rest.slice(0, LINES).join("; ")}${more}`;
}
