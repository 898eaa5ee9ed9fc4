/** `webnn profile`: its numbers are consistent, and its trace and page are valid. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { webnn } from "../support/terminal.ts";
import { LINEAR, MODULE, temporaryFolder } from "./files.ts";

interface Data {
  readonly total_ms: number;
  readonly runs: number;
  readonly operators: readonly { name: string; ms: number; share: number; calls: number }[];
  readonly nodes: readonly { name: string; ms: number; start_ms: number; operators: readonly string[] }[];
  readonly fused: readonly { operators: readonly string[]; kernel: string; count: number }[];
}

Deno.test("the times of the operators add up to the time of a run", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const { status, stdout, stderr } = await webnn("profile", model, "--shape", "x=64,2", "--runs", "4", "--json");
  assertEquals([status, stderr], [0, ""]);
  const { fused, nodes, operators, runs, total_ms }: Data = JSON.parse(stdout);
  assertEquals(runs, 4);
  const sum = operators.reduce((total, { ms }) => total + ms, 0);
  assert(total_ms > 0 && Math.abs(sum - total_ms) <= 1e-9 * total_ms, `${sum} of ${total_ms}`);
  assert(operators.some(({ name, calls }) => name === "matmul" && calls === 1));
  assertEquals(fused.map(({ operators }) => operators), [["matmul", "add"]]);
  assertEquals(nodes.flatMap((node) => node.operators), ["matmul", "add"]);
});

Deno.test("a table lists the operators; --nodes also lists the nodes of the engine", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.mjs", MODULE);
  const short = await webnn("profile", model, "--runs", "2");
  assertEquals([short.status, short.stderr], [0, ""]);
  assertMatch(short.stdout, /^operator +ms +share +calls$/m);
  assertMatch(short.stdout, /^matmul +\d+\.\d{3} +\d+\.\d % +1$/m);
  assert(!short.stdout.includes("node of the engine"));
  const long = await webnn("profile", model, "--runs", "2", "--nodes");
  assertMatch(long.stdout, /^node of the engine .*\n(matmul #0|.*Gemm) /m);
});

Deno.test("a trace is in Chrome's format: events with start and duration, nodes within the run", async () => {
  using folder = temporaryFolder();
  const model = folder.write("linear.onnx", LINEAR);
  const files = ["--trace", `${folder.path}/t.json`, "--html", `${folder.path}/p.html`];
  const { status, stderr } = await webnn("profile", model, "--runs", "2", ...files);
  assertEquals([status, stderr, folder.names()], [0, "", ["linear.onnx", "p.html", "t.json"]]);
  const { traceEvents } = JSON.parse(Deno.readTextFileSync(`${folder.path}/t.json`));
  const timed = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
  assert(timed.length >= 2);
  const [run, ...nodes] = timed;
  for (const event of traceEvents) {
    for (const key of ["pid", "tid"]) assertEquals(typeof event[key], "number");
    assert(typeof event.name === "string" && ["X", "M"].includes(event.ph) && typeof event.args === "object");
  }
  for (const { ts, dur } of nodes) assert(ts >= run.ts && dur >= 0 && ts + dur <= run.ts + run.dur + 1);
  const page = Deno.readTextFileSync(`${folder.path}/p.html`);
  assertStringIncludes(page, '<div class="timeline"><div title="matmul: ');
});

for (
  const [what, args, complaint, expected] of [
    ["no model", [], "MODEL is missing", 2],
    ["an invalid number", ["MODEL", "--runs", "0"], '--runs must be a positive integer, not "0"', 2],
    [
      "a device that cannot be profiled",
      ["MODEL", "--device", "openvino"],
      /--device openvino: only the CPU can be profiled, because .*; webnn bench --device cpu,openvino compares/,
      1,
    ],
    ["no such file", ["nowhere.onnx"], "nowhere.onnx: there is no such file or folder", 1],
    ["a wrong shape", ["MODEL", "--shape", "x=1,3"], /--shape x: the input "x" has the shape .*, not \[1, 3\]/, 1],
    ["a wrong name", ["MODEL", "--shape", "y=1,3"], '--shape: the model has no input "y"; its inputs: "x"', 1],
    ["a path that cannot be written", ["MODEL", "--trace", "MODEL/t.json"], /linear\.onnx.*: /, 1],
  ] as const
) {
  Deno.test(`${what}: one line of error, and no file is left behind`, async () => {
    using folder = temporaryFolder();
    const model = folder.write("linear.onnx", LINEAR);
    const { status, stdout, stderr } = await webnn("profile", ...args.map((arg) => arg.replace("MODEL", model)));
    assertEquals([status, stdout, folder.names()], [expected, "", ["linear.onnx"]]);
    assertMatch(stderr, /^webnn profile: [^\n]+\n$/);
    if (typeof complaint === "string") assertStringIncludes(stderr, complaint);
    else assertMatch(stderr, complaint);
  });
}
