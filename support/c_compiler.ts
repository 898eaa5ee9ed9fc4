/**
 * The system's C compiler, for tests that need a native library of their own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const NAMES = ["cc", "clang", "gcc"];

/** The name of a C compiler that works here, or null: then tests that need one are skipped and say so. */
export const compiler: string | null = await findCompiler();

/** What to append to the name of a test that is ignored because `compiler` is null. */
export const withoutCompiler: string = compiler === null
  ? ` (skipped: no C compiler, looked for ${NAMES.join(", ")})`
  : "";

/** Makes the shared library `file` of one C file. */
export async function compileLibrary(source: URL, file: string, flags: readonly string[] = []): Promise<void> {
  if (compiler === null) throw new Error("There is no C compiler");
  const args = ["-shared", "-fPIC", ...flags, "-o", file, fileURLToPath(source)];
  const { success, stderr } = await new Deno.Command(compiler, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function findCompiler(): Promise<string | null> {
  for (const name of NAMES) {
    try {
      if ((await new Deno.Command(name, { args: ["--version"] }).output()).success) return name;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}
