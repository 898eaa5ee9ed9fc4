/**
 * All tasks of all configurations support `--help`, reject unknown options, and exit with status 1 if they cannot do their
 * work.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);
const UNKNOWN = "--no-such-option";
const NOWHERE = fileURLToPath(new URL("no_such_folder", import.meta.url));

/** Tasks that cannot do anything without the test data, with a part of their error. */
const NEED_DATA = {
  "bench:cold-start": "mobilenetv2: skipped, no models/",
  "bench:contexts": "mobilenetv2: skipped, no models/",
  "bench:dispatches --suite mobilenetv2": "mobilenetv2: skipped, no models/",
  "bench:report --suite mobilenetv2 --against c --rounds 1": "mobilenetv2: skipped, no models/",
  "bench:threads --suite mobilenetv2": "mobilenetv2: skipped, no models/",
  "classify": "set WEBNN_TEST_DATA",
  "device:bundle": "WEBNN_TEST_DATA names its folder",
  "device:coreml --suite mobilenetv2 --rounds 1": "mobilenetv2: skipped, no models/",
  "test:wpt-cases": "WEBNN_TEST_DATA names its folder",
} as const;

/** The names in the usage of tasks that are not called `deno task NAME` there. */
const USAGE: Readonly<Record<string, string>> = { bench: "deno bench", webnn: "webnn" };

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a task as a user does, in the folder of its configuration. */
async function runTask(folder: URL, args: readonly string[], env: Record<string, string> = {}): Promise<Ending> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...args],
    cwd: fileURLToPath(folder),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** The tasks of all configurations, with the folder of each. */
function* allTasks(folder: URL = ROOT): Generator<{ name: string; folder: URL }> {
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory && !/^(\.|node_modules|docs|reports)/.test(entry.name)) {
      yield* allTasks(new URL(`${entry.name}/`, folder));
    }
    if (entry.name !== "deno.json") continue;
    const { tasks = {} } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", folder)));
    for (const name of Object.keys(tasks)) yield { name, folder };
  }
}

const tasks = [...allTasks()];

Deno.test("the root's configuration has tasks", () => {
  assert(tasks.some(({ name, folder }) => name === "test" && folder.href === ROOT.href));
});

for (const { name, folder } of tasks) {
  Deno.test(`deno task ${name}: --help prints the usage, and unknown options are errors`, async () => {
    const [help, refused] = await Promise.all([runTask(folder, [name, "--help"]), runTask(folder, [name, UNKNOWN])]);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(help.stdout, `Usage: ${USAGE[name] ?? `deno task ${name}`}`);
    assertEquals([refused.code, refused.stdout], [name === "webnn" ? 2 : 1, ""]);
    assertStringIncludes(refused.stderr, UNKNOWN);
  });
}

for (const [command, message] of Object.entries(NEED_DATA)) {
  const name = `deno task ${command}: without the test data the status is 1, and the message gives the reason`;
  // On Windows, the bundle fails earlier for another reason: its command is a shell script.
  const ignore = command === "device:bundle" && Deno.build.os === "windows";
  Deno.test({
    name,
    ignore,
    async fn() {
      const { code, stderr } = await runTask(ROOT, command.split(" "), { WEBNN_TEST_DATA: NOWHERE });
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, message);
    },
  });
}
