/** Programs as users run them, each in a process of its own: permissions, exits, order, threads, memory. */
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { runChild } from "../../support/child.ts";

const FFI = ["--no-prompt", "--allow-ffi"];
const HAS_PROC = Deno.build.os === "linux";

function run(program: string, args: readonly string[] = [], flags: readonly string[] = FFI) {
  return runChild(new URL(`programs/${program}`, import.meta.url), args, flags);
}

Deno.test("a program needs only --allow-ffi, and ends by itself", async () => {
  const { code, signal, stdout, stderr } = await run("natural_end.ts");
  assertEquals({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: "1 1 1 1", stderr: "" });
});

Deno.test("without --allow-ffi, createContext rejects and names the permission", async () => {
  const { code, signal, stderr } = await run("natural_end.ts", [], ["--no-prompt"]);
  assertEquals([code, signal], [1, null]);
  assertStringIncludes(stderr, "--allow-ffi");
  assertStringIncludes(stderr, "NotSupportedError");
});

for (
  const [way, expectedCode, text] of [
    ["exit", 7, ""],
    ["throw", 1, "thrown during a dispatch"],
    ["reject", 1, "rejected during a dispatch"],
    ["end", 0, ""],
  ] as const
) {
  Deno.test(`a process that ends by ${way} during a dispatch is not killed by a signal`, async () => {
    const { code, signal, stdout, stderr } = await run("end_during_dispatch.ts", [way]);
    assertEquals([code, signal], [expectedCode, null]);
    assertStringIncludes(stderr, text);
    if (way === "end") assertEquals(stdout, "read");
  });
}

Deno.test("20 uncaught errors at different moments of a dispatch end the process with their message", async () => {
  for (let delay = 0; delay < 20; delay++) {
    const { code, signal, stderr } = await run("end_during_dispatch.ts", ["throw", `${delay}`]);
    assertEquals([code, signal], [1, null], `after ${delay} ms`);
    assertStringIncludes(stderr, "thrown during a dispatch");
  }
});

for (const work of ["createContext", "build"]) {
  Deno.test(`15 uncaught errors at different moments of ${work} end the process with their message`, async () => {
    for (let delay = 0; delay < 30; delay += 2) {
      const { code, signal, stderr } = await run("end_during_build.ts", [work, `${delay}`]);
      assertEquals([code, signal], [1, null], `after ${delay} ms`);
      assertStringIncludes(stderr, "thrown during the call");
    }
  });
}

Deno.test("writes, slow and fast dispatches and reads happen in order", async () => {
  const { code, stdout } = await run("order.ts");
  assertEquals([code, stdout], [0, "3 6 5"]);
});

Deno.test("timers fire during a build and a slow dispatch", async () => {
  const { code, stdout } = await run("event_loop.ts");
  assertEquals(code, 0);
  const { dispatch, build } = JSON.parse(stdout);
  for (const [what, { ticks, median, max, ms }] of Object.entries({ dispatch, build })) {
    console.log(
      `${what}: ${ms.toFixed(0)} ms, ${ticks} ticks, late by ${median.toFixed(1)} (median), ${max.toFixed(1)} ms (max)`,
    );
  }
  // Checks only that the timer fired while the engine ran, not when.
  assert(dispatch.ticks > 1 && build.ticks > 1, stdout);
});

Deno.test({
  name: "50 live graphs share one pool of threads",
  ignore: !HAS_PROC, // The threads of a process are counted in /proc.
  fn: async () => {
    const { code, stdout, stderr } = await run("threads.ts", [], ["-A"]);
    assertEquals([code, stderr], [0, ""]);
    const { one, fifty } = JSON.parse(stdout);
    console.log(`threads: ${one} with 1 graph, ${fifty} with 50`);
    // Deno may start some threads of its own; 50 pools of 4 would be 147 more.
    assertLess(fifty - one, 20);
  },
});

Deno.test({
  name: "graphs run if another module has created the environment without a thread pool",
  ignore: !HAS_PROC,
  fn: async () => {
    const { code, signal, stdout } = await run("threads.ts", ["onnxruntime-node"], ["-A"]);
    assertEquals([code, signal], [0, null]);
    console.log(`threads with onnxruntime-node: ${stdout}`);
  },
});

Deno.test("constants of builders that are never built are freed", async () => {
  const { code, stdout } = await run("dropped_builders.ts", [], ["-A", "--v8-flags=--expose-gc"]);
  assertEquals(code, 0);
  const { before, peak, after } = JSON.parse(stdout);
  const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
  console.log(`resident: ${mb(before)} MB before, ${mb(peak)} MB at most, ${mb(after)} MB after 100 × 4 MB`);
  assertLess(after - before, 100 * 2 ** 20);
});

Deno.test("terminating a worker during a dispatch does not harm the process", async () => {
  const count = Number(Deno.env.get("WEBNN_TERMINATIONS") ?? 30);
  const { code, signal, stdout, stderr } = await run("worker_terminations.ts", [`${count}`], ["-A"]);
  assertEquals([code, signal], [0, null], stderr);
  console.log(stdout);
});

Deno.test("workers that throw or close do not harm the main isolate", async () => {
  const { code, signal, stdout, stderr } = await run("worker_ends.ts", [], ["-A"]);
  assertEquals([code, signal], [0, null], stderr);
  const { value, left } = JSON.parse(stdout);
  assertEquals(value, 0);
  console.log(`resident memory after workers with 64 MB of tensors: ${stdout}`);
  // A worker that closes itself frees its tensors; some megabytes are Deno's own.
  const total = left.close.reduce((sum: number, megabytes: number) => sum + megabytes, 0);
  assertLess(total / left.close.length, 32);
});

Deno.test({
  name: "an interrupt ends a program like any other; with a listener, the program continues",
  ignore: Deno.build.os === "windows", // Windows has no signals.
  fn: async () => {
    for (
      const [args, expected] of [[[], { code: 130, signal: "SIGINT" }], [["listen"], {
        code: 3,
        signal: null,
      }]] as const
    ) {
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", ...FFI, new URL("programs/interrupt.ts", import.meta.url).href, ...args],
        stdout: "piped",
        stderr: "null",
      });
      const child = command.spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const answer = async (text: string) => {
        for (let seen = ""; !seen.includes(text);) {
          const { value, done } = await reader.read();
          if (done) return;
          seen += value;
        }
      };
      await answer("ready");
      for (let i = 1; i <= (args.length === 0 ? 1 : 3); i++) {
        child.kill("SIGINT");
        await answer(`interrupt ${i}`);
      }
      const { code, signal } = await child.status;
      await reader.cancel();
      assertEquals({ code, signal }, expected);
    }
  },
});

Deno.test("destroying a context stops runs and builds, and rejects their promises immediately", async () => {
  const { code, signal, stdout, stderr } = await run("abort.ts");
  assertEquals([code, signal, stderr], [0, null, ""]);
  const { rejected, ...figures } = JSON.parse(stdout);
  assertEquals(rejected, ["InvalidStateError", "built", "InvalidStateError"]);
  const texts = Object.entries(figures).map(([what, ms]) => `${what} ${(ms as number).toFixed(1)} ms`);
  console.log(`abort: ${texts.join(", ")}`);
});

Deno.test({
  name: "requests for too much memory are rejected, and the context continues to work",
  ignore: !HAS_PROC, // The program sets the limit, and reads its address space, by functions of Linux.
  fn: async () => {
    const { code, signal, stdout, stderr } = await run("memory_limits.ts", [], ["-A"]);
    assertEquals([code, signal], [0, null], stderr);
    const lines = stdout.split("\n");
    assertEquals(lines.map((line) => line.split(":")[0]), [
      "UnknownError",
      "UnknownError",
      "UnknownError",
      "OperationError",
      "0 2 0 4",
      "UnknownError",
      "the last accepted write",
    ]);
    for (const line of lines.slice(0, 4)) assertStringIncludes(line, "MiB");
    assertStringIncludes(lines[5]!, "await a read before you write more");
  },
});

Deno.test("unreachable tensors and graphs are collected in time, because V8 knows their size", async () => {
  const { code, stdout, stderr } = await run("forgotten.ts", [], ["-A"]);
  assertEquals(code, 0, stderr);
  const { tensors, graphs } = JSON.parse(stdout);
  console.log(`peak over base of 300 unreachable objects of 4 MB: tensors ${tensors} MB, graphs ${graphs} MB`);
  assertLess(tensors, 600);
  assertLess(graphs, 600);
});
