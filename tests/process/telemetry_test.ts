/** ONNX Runtime's telemetry writes no files in the user's folders. */
import { assertEquals } from "@std/assert";
import { runChild } from "../../support/child.ts";

const PROGRAM = new URL("programs/first_context.ts", import.meta.url);

Deno.test({
  name: "creating a context writes no files of telemetry: no machine id, database or log",
  ignore: Deno.build.os === "windows", // There, telemetry uses no files.
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      // The dependencies are in the user's real folder.
      const cache = JSON.parse((await runDeno("info", "--json")).stdout).denoDir;
      const env = { HOME: folder, TMPDIR: folder, XDG_CACHE_HOME: folder, XDG_DATA_HOME: folder, DENO_DIR: cache };
      const { code, stdout, stderr } = await runChild(PROGRAM, [], ["--allow-ffi", "--no-check"], env);
      assertEquals({ code, stdout, stderr }, { code: 0, stdout: "cpu", stderr: "" });
      assertEquals([...Deno.readDirSync(folder)], []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function runDeno(...args: string[]): Promise<{ stdout: string }> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return { stdout: new TextDecoder().decode(stdout) };
}
