/**
 * The system's C compiler, for tests that build a native library.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const NAMES = ["cc", "clang", "gcc"];

/** The name of a working C compiler, or null. Without one, tests that need it are skipped and say so. */
export const compiler: string | null = await findCompiler();

/** The suffix for the name of a test that is skipped because there is no compiler. */
export const withoutCompiler: string = compiler === null
  ? ` (skipped: no C compiler, looked for ${NAMES.join(", ")})`
  : "";

/** Compiles a C file to the shared library `file`. */
export async function compileLibrary(source: URL, file: string, flags: readonly string[] = []): Promise<void> {
  if (compiler === null) throw new Error("there is no C compiler");
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
