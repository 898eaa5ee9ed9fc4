/** The frame of the command line: which command, `--help`, `--json`, `--debug`, the status. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../cli/commands/commands.ts";
import { webnn } from "../support/terminal.ts";

Deno.test("webnn --help lists every command, with what it does", async () => {
  const { status, stdout, stderr } = await webnn("--help");
  assertEquals([status, stderr], [0, ""]);
  for (const { name, summary } of COMMANDS) assertMatch(stdout, new RegExp(`^  ${name} .*${summary}$`, "m"));
});

for (const { name, summary, options } of COMMANDS) {
  Deno.test(`webnn ${name} --help tells the usage and every option, in lines that fit a terminal`, async () => {
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
    [[], "which command? webnn --help lists them"],
    [["nosuch"], "there is no command nosuch; webnn --help lists the commands"],
    [["--nosuch"], "there is no option --nosuch; webnn --help lists the commands"],
  ] as const
) {
  Deno.test(`webnn ${args.join(" ")}: the status is 2, and one line tells why`, async () => {
    assertEquals(await webnn(...args), { status: 2, stdout: "", stderr: `webnn: ${complaint}\n` });
  });
}

Deno.test("--debug adds where the error comes from; without it there is one line", async () => {
  const { stderr } = await webnn("info", "no/such/file.onnx");
  assertEquals(stderr, "webnn info: no/such/file.onnx: there is no such file or folder\n");
  const debugged = await webnn("info", "no/such/file.onnx", "--debug");
  assert(debugged.stderr.startsWith(stderr));
  assertStringIncludes(debugged.stderr, "info.ts:");
});
