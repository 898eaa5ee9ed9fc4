/** ONNX Runtime leaves nothing in the user's folders and sends nothing. */
import { assertEquals } from "@std/assert";
import { runChild } from "../../support/child.ts";

const PROGRAM = new URL("programs/first_context.ts", import.meta.url);

Deno.test({
  name: "a context leaves neither telemetry's identifier of the machine, nor its database, nor its log",
  ignore: Deno.build.os === "windows", // It keeps none in files there.
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      // The dependencies, which lie in the user's own folder.
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
