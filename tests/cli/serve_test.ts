/** `webnn serve`: its start and its end. Its answers are tested in tests/serve. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { sum } from "../serve/client.ts";
import { webnn } from "../support/terminal.ts";

const ROOT = new URL("../../", import.meta.url);

const WRONG = [
  [["serve"], "webnn serve: MODEL is missing", 2],
  [["serve", "a.onnx", "--port", "70000"], '--port must be an integer from 0 to 65535, not "70000"', 2],
  [["serve", "a.onnx", "--batch", "0"], "--batch must be a positive integer", 2],
  [
    ["serve", "no_such_file.onnx", "--port", "0"],
    "webnn serve: no_such_file.onnx: there is no such file or folder",
    1,
  ],
  [["serve", ".", "--port", "0"], "webnn serve: .: ", 1],
] as const;

for (const [args, complaint, expected] of WRONG) {
  Deno.test(`webnn ${args.join(" ")}: status ${expected} and one line of error`, async () => {
    const { status, stdout, stderr } = await webnn(...args);
    assertEquals([status, stdout], [expected, ""]);
    assertStringIncludes(stderr, complaint);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  });
}

Deno.test({
  name: "SIGTERM: not ready, requests in flight are answered, status 0",
  // On Windows, Deno kills a child at once, with any signal.
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const file = `${folder}/sum.onnx`;
    await Deno.writeFile(file, sum().source as Uint8Array);
    const args = ["run", "--config=cli/deno.json", "--quiet", "--no-check", "-A", "cli/main.ts", "serve", file];
    await using child = new Deno.Command(Deno.execPath(), {
      args: [...args, "--port", "0", "--threads", "1", "--json"],
      cwd: fileURLToPath(ROOT),
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { url, models } = JSON.parse((await reader.read()).value!);
    assertEquals(models.map(({ name }: { name: string }) => name), ["sum"]);
    assert(url.startsWith("http://127.0.0.1:"));
    const body = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    const writer = body.writable.getWriter();
    const tensor = (name: string, data: number[]) => ({ name, datatype: "FP32", shape: [1, 3], data });
    const text = JSON.stringify({ inputs: [tensor("a", [1, 2, 3]), tensor("b", [4, 5, 6])] });
    const answer = fetch(`${url}/v2/models/sum/infer`, { method: "POST", body: body.readable });
    await writer.write(new TextEncoder().encode(text.slice(0, 20)));
    await until(async () => (await (await fetch(`${url}/metrics`)).text()).includes("webnn_requests_in_flight 2"));
    child.kill("SIGTERM");
    await until(async () => !(await (await fetch(`${url}/v2/health/ready`)).json()).ready);
    await writer.write(new TextEncoder().encode(text.slice(20)));
    await writer.close();
    assertEquals((await (await answer).json()).outputs[0].data, [6, 9, 12]);
    const { code, signal } = await child.status;
    assertEquals([code, signal], [0, null]);
    await reader.cancel();
    await Deno.remove(folder, { recursive: true });
  },
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the condition did not become true within 10 s");
}
