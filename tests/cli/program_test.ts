/** The command line as a whole: commands, `--help`, `--json`, `--debug`, the exit status. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../cli/commands/commands.ts";
// Selects SwiftShader before the search for WebGPU devices, which happens once per process.
import "../support/devices.ts";
import { onnxFile } from "../support/onnx_writer.ts";
import { webnn } from "../support/terminal.ts";
import { LINEAR, MODULE, temporaryFolder } from "./files.ts";

Deno.test("webnn --help lists every command with its summary", async () => {
  const { status, stdout, stderr } = await webnn("--help");
  assertEquals([status, stderr], [0, ""]);
  for (const { name, summary } of COMMANDS) assertMatch(stdout, new RegExp(`^  ${name} .*${summary}$`, "m"));
});

for (const { name, summary, options } of COMMANDS) {
  Deno.test(`webnn ${name} --help shows the usage and every option, in lines of at most 120 characters`, async () => {
    const { status, stdout, stderr } = await webnn(name, "--help");
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, `${summary}.\n\nUsage: webnn ${name}`);
    for (const option of [...Object.keys(options), "json", "debug", "help"]) {
      assertMatch(stdout, new RegExp(`^  (-\\w, )?--${option}( |$)`, "m"));
    }
    assertEquals(stdout.split("\n").filter((line) => line.length > 120), []);
  });
}

for (
  const [args, complaint] of [
    [[], "the command is missing; webnn --help lists the commands"],
    [["nosuch"], "unknown command nosuch; webnn --help lists the commands"],
    [["--nosuch"], "unknown option --nosuch; webnn --help lists the commands"],
  ] as const
) {
  Deno.test(`webnn ${args.join(" ")}: status 2 and one line of error`, async () => {
    assertEquals(await webnn(...args), { status: 2, stdout: "", stderr: `webnn: ${complaint}\n` });
  });
}

Deno.test("--debug adds the stack trace of an error; without it there is one line", async () => {
  const { stderr } = await webnn("info", "no/such/file.onnx");
  assertEquals(stderr, "webnn info: no/such/file.onnx: there is no such file or folder\n");
  const debugged = await webnn("info", "no/such/file.onnx", "--debug");
  assert(debugged.stderr.startsWith(stderr));
  assertStringIncludes(debugged.stderr, "info.ts:");
});

Deno.test("info shows ports, operators, weights, and the work of a run for the given shapes", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const { stdout } = await webnn("info", model, "--shape", "x=5,2", "--json");
  const { inputs, operators, weights, unsupported, run } = JSON.parse(stdout);
  assertEquals([inputs[0].name, inputs[0].shape], ["x", ["rows", 2]]);
  assertEquals([operators, weights, unsupported], [{ Add: 1, MatMul: 1 }, { float32: { tensors: 2, bytes: 24 } }, []]);
  // 5 x 2 x 2 for the product, and half of 5 x 2 for the sum.
  assertEquals([run.multiplyAdds, run.constantBytes, run.shapes], [25, 24, { x: [5, 2] }]);
  const text = (await webnn("info", model)).stdout;
  assertMatch(text, /^multiply-adds +5 in a run of x \[1, 2\]$/m);
  assertMatch(text, /^x +float32 +\[rows, 2\]$/m);
});

Deno.test("info lists nodes that are not supported with the reason, without an error", async () => {
  using folder = temporaryFolder();
  const file = onnxFile({
    nodes: [{ op: "Mystery", name: "riddle", inputs: ["x"], outputs: ["y"] }],
    inputs: [{ name: "x", shape: [2] }],
    outputs: [{ name: "y", shape: [2] }],
  });
  const { status, stdout, stderr } = await webnn("info", folder.write("mystery.onnx", file));
  assertEquals([status, stderr], [0, ""]);
  assertMatch(stdout, /^Mystery +riddle +the importer does not support the operator$/m);
});

Deno.test("info and run report an unsupported input of strings together with unsupported nodes", async () => {
  using folder = temporaryFolder();
  const model = folder.write(
    "words.onnx",
    onnxFile({
      nodes: [
        { op: "Mystery", name: "riddle", inputs: ["words"], outputs: ["x"] },
        { op: "Enigma", name: "secret", inputs: ["x"], outputs: ["y"] },
      ],
      inputs: [{ name: "words", type: "string", shape: [1] }],
      outputs: [{ name: "y", shape: [1] }],
    }),
  );
  const info = await webnn("info", model);
  assertEquals([info.status, info.stderr], [0, ""]);
  for (const line of [/^input +words +WebNN does not support the type/m, /^Mystery +riddle /m, /^Enigma +secret /m]) {
    assertMatch(info.stdout, line);
  }
  const { status, stdout, stderr } = await webnn("run", model, "--input", `words=${model}`);
  assertEquals([status, stdout], [1, ""]);
  assertMatch(stderr, /words\.onnx: .*input \(words\): .*Mystery \(riddle\): .*Enigma \(secret\): .*\n$/);
});

Deno.test("info of a module counts the WebNN operators", async () => {
  using folder = temporaryFolder();
  const { status, stdout } = await webnn("info", folder.write("linear.ts", MODULE));
  assertEquals(status, 0);
  assertMatch(stdout, /^matmul +1$/m);
  assertMatch(stdout, /^y +float32 +\[1, 2\]$/m);
});

Deno.test("devices lists the CPU, and missing devices with the reason", async () => {
  const [text, json] = [await webnn("devices"), await webnn("devices", "--json")];
  assertMatch(text.stdout, /^onnxruntime +cpu +cpu .* available$/m);
  const { devices } = JSON.parse(json.stdout);
  for (const { available, reason } of devices) assert(available || reason.length > 0, json.stdout);
});

Deno.test("a missing device is one line on standard error, without the messages of its library", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
  const args = ["run", "--quiet", "--no-check", "-A", main, "run", model, "--device", "webgpu"];
  const env = { VK_ICD_FILENAMES: folder.path, VK_DRIVER_FILES: folder.path };
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, env, stdout: "null" }).output();
  const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => line !== "");
  // Windows and macOS may have WebGPU without Vulkan: then the model runs.
  assertEquals(lines.length, code);
  for (const line of lines) assertStringIncludes(line, "webnn run: --device webgpu: ");
});
