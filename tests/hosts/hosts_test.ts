/** The module in different environments: replaced navigators, projects, permissions, and --watch. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { runChild } from "../../support/child.ts";

const program = (name: string) => new URL(`programs/${name}.ts`, import.meta.url);
const FFI = ["--no-check", "--allow-ffi"];

const NAVIGATORS = [
  "plain",
  "bare",
  "class",
  "other class",
  "list",
  "derived",
  "proxy",
  "proxy that reads",
  "proxy of a plain one",
  "none",
];

for (const name of NAVIGATORS) {
  Deno.test(`polyfill: a replaced navigator (${name}) gets ml, and no other object does`, async () => {
    const { code, stdout, stderr } = await runChild(program("navigator"), [name], FFI);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout), { same: true, polluted: false, context: true });
  });
}

Deno.test("polyfill: the error for a frozen navigator says what to do", async () => {
  const { code, stdout } = await runChild(program("navigator"), ["frozen"], FFI);
  assertEquals(code, 0);
  assertMatch(JSON.parse(stdout).error, /^TypeError: navigator\.ml cannot be installed: .* use `ml` of the module$/);
});

Deno.test("MLGraph.devices exists, as in Chromium, only with the polyfill", async () => {
  const { stdout, stderr } = await runChild(program("graph_devices"), [], FFI);
  assertEquals([JSON.parse(stdout), stderr], [{ withPonyfill: false, devices: ["cpu"], expected: ["cpu"] }, ""]);
});

Deno.test("threads: the navigator may report any value as the number of processors", async () => {
  const threadsFor = async (value: string) => {
    const { code, stdout, stderr } = await runChild(program("threads"), [value], FFI);
    assertEquals([code, stderr], [0, ""], value);
    return Number(stdout);
  };
  assertEquals([await threadsFor("1"), await threadsFor("3"), await threadsFor("16")], [1, 3, 8]);
  const processors = navigator.hardwareConcurrency;
  const expected = processors <= 4 ? processors : Math.ceil(processors / 2);
  for (const value of ["NaN", "Infinity", "undefined", "text", "negative", "half", "none", "huge"]) {
    assertEquals(await threadsFor(value), expected, value);
  }
});

Deno.test("the error in a project with only a package.json says how to add the engine's package", async () => {
  await inProject({ "package.json": "{}" }, async (folder, file) => {
    const { code, stdout } = await run(folder, ["--no-check", "--allow-ffi", file]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "NotSupportedError: createContext: This project has its npm packages in node_modules");
    assertStringIncludes(stdout, "run `deno add npm:onnxruntime-node@1.30.0`");
  });
});

Deno.test("the error for --allow-ffi with a list of paths says what to do, in any folder", async () => {
  await inProject({}, async (folder, file) => {
    for (const cwd of [folder, "/"]) {
      const { code, stdout } = await run(cwd, ["--no-check", "--no-prompt", `--allow-ffi=${folder}`, file]);
      assertEquals(code, 0);
      assertMatch(
        stdout,
        /^NotSupportedError: .*may not be opened; run Deno with --allow-ffi, without a list of paths/,
      );
    }
  });
});

Deno.test({
  name: "with WEBNN_DIRECT_CALLS=0, no library is created in memory",
  ignore: Deno.build.os !== "linux", // Only Linux can load a library from memory.
  async fn() {
    // Deno requires all permissions to read /proc.
    for (const [value, expected] of [["1", "true"], ["0", "false"]] as const) {
      const { code, stdout, stderr } = await runChild(program("stubs"), [], ["--no-check", "-A"], {
        WEBNN_DIRECT_CALLS: value,
      });
      assertEquals([code, stdout, stderr], [0, expected, ""]);
    }
  },
});

Deno.test("--watch: a program works after a restart in the same process, and its old objects are released", async () => {
  await inProject({}, async (folder, file) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--watch", "--no-clear-screen", "--no-check", "--allow-ffi", file],
      cwd: folder,
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    const rounds: number[] = [];
    const waitFor = async (text: string) => {
      while (!seen.includes(text)) {
        const { value, done } = await reader.read();
        assert(!done, `the process ended: ${seen}`);
        seen += value;
      }
    };
    try {
      for (const round of [1, 2, 3]) {
        if (round > 1) await Deno.writeTextFile(file, source(round));
        await waitFor(`round ${round}: 3 `);
        await waitFor(" MB\n");
        rounds.push(Number(/ (\d+) MB/.exec(seen)![1]));
        seen = "";
      }
      // Each round allocates 256 MB for a tensor, and 256 MB in JavaScript.
      assertLess(rounds[2]! - rounds[0]!, 200);
    } finally {
      clearTimeout(timer);
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    }
  });
});

/** A program that adds 1 and 2, prints the round, the sum and its memory, and does not destroy its context. */
function source(round: number): string {
  const module = new URL("../../mod.ts", import.meta.url).href;
  return `import { createContext, MLGraphBuilder } from ${JSON.stringify(module)};
try {
  const context = await createContext();
  const builder = new MLGraphBuilder(context);
  const one = builder.input("one", { dataType: "float32", shape: [] });
  const graph = await builder.build({ sum: builder.add(one, builder.constant("float32", 2)) });
  const input = await context.createTensor({ dataType: "float32", shape: [], writable: true });
  const sum = await context.createTensor({ dataType: "float32", shape: [], readable: true });
  context.writeTensor(input, Float32Array.of(1));
  context.dispatch(graph, { one: input }, { sum });
  const result = new Float32Array(await context.readTensor(sum))[0];
  const large = await context.createTensor({ dataType: "float32", shape: [2 ** 26], writable: true });
  context.writeTensor(large, new Float32Array(2 ** 26).fill(1));
  console.log(\`round ${round}: \${result} \${Math.round(Deno.memoryUsage().rss / 1e6)} MB\`);
} catch (error) {
  console.log(String(error));
}
`;
}

/** Creates a folder outside of any project, with some files and the program. */
async function inProject(
  files: Record<string, string>,
  use: (folder: string, file: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
    const file = join(folder, "main.ts");
    await Deno.writeTextFile(file, source(1));
    await use(folder, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(cwd: string, args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", ...args], cwd, stderr: "null" });
  const { code, stdout } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}
