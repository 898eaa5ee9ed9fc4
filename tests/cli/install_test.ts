/** `webnn install`, without a network: pip is told where to look by its own variables. */
import { assertEquals, assertMatch } from "@std/assert";
import { zipSync } from "fflate";
import { fileURLToPath } from "node:url";
import { webnn } from "../support/terminal.ts";
import { temporaryFolder } from "./files.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Whether Python has pip here. */
function hasPip(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-m", "pip", "--version"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs `webnn install onnxruntime` with some variables. */
async function install(folder: string, env: Record<string, string>) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "-A", MAIN, "install", "onnxruntime", "--dir", folder],
    env,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A wheel of onnxruntime's name and version that somebody else made. */
function forgedWheel(): Uint8Array {
  const text = (lines: string) => new TextEncoder().encode(lines);
  const info = "onnxruntime-1.30.0.dist-info";
  return zipSync({
    "onnxruntime/capi/libonnxruntime.so.1.30.0": text("forged"),
    [`${info}/METADATA`]: text("Metadata-Version: 2.1\nName: onnxruntime\nVersion: 1.30.0\n"),
    [`${info}/WHEEL`]: text("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp311-cp311-any\n"),
    [`${info}/RECORD`]: text(""),
  });
}

const NEEDS_PIP = { ignore: !hasPip() }; // the package is fetched by it

Deno.test("install: where no package index is reached, one line says so, and nothing is left", NEEDS_PIP, async () => {
  using folder = temporaryFolder();
  const env = { PIP_INDEX_URL: "http://127.0.0.1:9/simple", PIP_NO_INDEX: "", PIP_FIND_LINKS: "", PIP_RETRIES: "1" };
  const { code, stdout, stderr } = await install(folder.path, env);
  assertEquals([code, stdout, folder.names()], [1, "", []], stderr);
  assertMatch(
    stderr,
    /^webnn install: pip cannot install onnxruntime==1\.30\.0: no package index is reached; check the network [^\n]*\n$/,
  );
});

Deno.test({
  name: "install: a file that has not the SHA-256 that is known is not used, and one line says so",
  ignore: NEEDS_PIP.ignore || Deno.build.os !== "linux" || Deno.build.arch !== "x86_64", // as the forged wheel is
  async fn() {
    using folder = temporaryFolder();
    using links = temporaryFolder();
    links.write("onnxruntime-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl", forgedWheel());
    const { code, stdout, stderr } = await install(folder.path, { PIP_NO_INDEX: "1", PIP_FIND_LINKS: links.path });
    assertEquals([code, stdout, folder.names()], [1, "", []], stderr);
    assertMatch(
      stderr,
      /^webnn install: pip cannot install onnxruntime==1\.30\.0: what came has not the expected SHA-256[^\n]*\n$/,
    );
  },
});

for (
  const [args, complaint] of [
    [[], "onnxruntime|openvino|cuda is missing"],
    [["tensorflow"], '"tensorflow" is none of onnxruntime|openvino|cuda'],
  ] as const
) {
  Deno.test(`webnn install ${args.join(" ")}: wrong usage`, async () => {
    assertEquals(await webnn("install", ...args), { status: 2, stdout: "", stderr: `webnn install: ${complaint}\n` });
  });
}
