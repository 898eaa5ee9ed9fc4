/**
 * Wrong uses of each command that takes a model, and failures: the exit status, and exactly one line that names the
 * file, input or option.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { dump } from "npyjs";
import { join } from "node:path";
import { MAIN, type Outcome, outcomeOf, spawnWebnn, webnn } from "../support/terminal.ts";
import { type Folder, LINEAR, temporaryFolder } from "./files.ts";

/** Which kinds of options each command has. */
const COMMANDS: Record<string, Traits> = {
  info: {},
  run: { writes: "--output", runs: true, opens: true },
  bench: { runs: true, opens: true },
  compile: { writes: "--cache", isNeeded: true, runs: true, opens: true },
  profile: { writes: "--trace", runs: true, opens: true },
  view: { writes: "--output", ending: ".svg", runs: true, opens: true },
  convert: { writes: "--output", ending: ".onnx", isNeeded: true, runs: true },
};

interface Traits {
  /** The option that names the output. */
  readonly writes?: string;
  /** The extension of the output. */
  readonly ending?: string;
  /** Whether that option is required. */
  readonly isNeeded?: boolean;
  /** Whether the command has the options for inputs and shapes. */
  readonly runs?: boolean;
  /** Whether the command has the options for devices. */
  readonly opens?: boolean;
}

/** One fault: the command line and the expected error. */
interface Fault {
  readonly name: string;
  /** Only for commands with this trait. */
  readonly of?: "runs" | "writes" | "opens";
  readonly args: (folder: Folder, option: string) => readonly string[];
  readonly says: RegExp;
  readonly status?: number;
}

const model = (folder: Folder) => folder.write("linear.onnx", LINEAR);
const damaged = LINEAR.map((byte, i) => i > 20 && i < 40 ? byte ^ 255 : byte);

function unusedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

const FAULTS: readonly Fault[] = [
  { name: "no MODEL", args: () => [], says: /: MODEL is missing$/, status: 2 },
  {
    name: "two MODELs",
    args: () => ["a.onnx", "b.onnx"],
    says: /: give only one MODEL: "b.onnx" is one too many$/,
    status: 2,
  },
  {
    name: "an unknown option",
    args: () => ["a.onnx", "--nosuch=1"],
    says: /: unknown option --nosuch;/,
    status: 2,
  },
  {
    name: "no file",
    args: ({ path }) => [join(path, "no.onnx")],
    says: /no\.onnx: there is no such file or folder$/,
  },
  { name: "a folder", args: ({ path }) => [path], says: /: this is a folder, not a file$/ },
  {
    name: "a text file",
    args: (folder) => [folder.write("text.onnx", "This text is not a model.\n")],
    says: /text\.onnx: The file is damaged or is not an ONNX model/,
  },
  {
    name: "an empty file",
    args: (folder) => [folder.write("empty.onnx", "")],
    says: /empty\.onnx: The file is damaged or is not an ONNX model/,
  },
  {
    name: "a truncated file",
    args: (folder) => [folder.write("cut.onnx", LINEAR.subarray(0, LINEAR.length / 2))],
    says: /cut\.onnx: The file is damaged or is not an ONNX model/,
  },
  {
    name: "a damaged file",
    args: (folder) => [folder.write("damaged.onnx", damaged)],
    says: /damaged\.onnx: The file is damaged or is not an ONNX model/,
  },
  {
    name: "a server that does not exist",
    args: () => [`http://127.0.0.1:${unusedPort()}/model.onnx`],
    says: /: http:\/\/127\.0\.0\.1:\d+\/model\.onnx cannot be reached: .*refused/i,
  },
  {
    name: "a module with an error",
    args: (folder) => [folder.write("broken.ts", "export default () => { throw new Error('out of ideas'); };")],
    says: /broken\.ts: out of ideas$/,
  },
  {
    name: "a module without a default export",
    args: (folder) => [folder.write("empty.ts", "export const a = 1;")],
    says: /empty\.ts needs a function as its default export:/,
  },
  {
    name: "a module that does not parse",
    args: (folder) => [folder.write("syntax.ts", "export default (;")],
    says: /syntax\.ts cannot be loaded: /,
  },
  {
    name: "a shape that does not fit",
    of: "runs",
    args: (folder) => [model(folder), "--shape", "x=1,3"],
    says: /--shape x: the input "x" has the shape \[rows, 2\], not \[1, 3\]$/,
  },
  {
    name: "an invalid shape",
    of: "runs",
    args: (folder) => [model(folder), "--shape", "x=1,two"],
    says: /--shape x must be integers separated by commas, not "1,two"$/,
    status: 2,
  },
  {
    name: "an option that is not NAME=VALUE",
    of: "runs",
    args: (folder) => [model(folder), "--shape", "1,3"],
    says: /--shape must be NAME=1,3,224,224, not "1,3"$/,
    status: 2,
  },
  {
    name: "an unknown input",
    of: "runs",
    args: (folder) => [model(folder), "--input", `z=${folder.write("x.json", "[[1, 2]]")}`],
    says: /--input: the model has no input "z"; its inputs: "x"$/,
  },
  {
    name: "a file of the wrong data type",
    of: "runs",
    args: (folder) => {
      const x = folder.write("x.npy", new Uint8Array(dump(BigInt64Array.of(1n, 2n), [1, 2])));
      return [model(folder), "--input", `x=${x}`];
    },
    says: /x\.npy holds int64 \[1, 2\], but the input "x" is float32$/,
  },
  {
    name: "a file of the wrong shape",
    of: "runs",
    args: (folder) => {
      const x = folder.write("x.npy", new Uint8Array(dump(Float32Array.of(1, 2, 3), [1, 3])));
      return [model(folder), "--input", `x=${x}`];
    },
    says: /x\.npy: the input "x" has the shape \[rows, 2\], not \[1, 3\]$/,
  },
  ...(["npy", "npz", "json", "bin", "wav", "png"] as const).map((extension): Fault => ({
    name: `a damaged .${extension}`,
    of: "runs",
    args: (folder) => [model(folder), "--input", `x=${folder.write(`x.${extension}`, "nonsense?")}`],
    says: new RegExp(`x\\.${extension}( |:)`),
  })),
  {
    name: "an input file of an unknown format",
    of: "runs",
    args: (folder) => [model(folder), "--input", `x=${folder.write("x.doc", "")}`],
    says: /x\.doc: an input must be a \.npy, /,
  },
  {
    name: "a missing input file",
    of: "runs",
    args: (folder) => [model(folder), "--input", `x=${join(folder.path, "x.npy")}`],
    says: /x\.npy: there is no such file or folder$/,
  },
  {
    name: "a number of threads that is not a number",
    of: "opens",
    args: (folder) => [model(folder), "--threads", "many"],
    says: /--threads must be a positive integer, not "many"$/,
    status: 2,
  },
  {
    name: "an output path below a file",
    of: "writes",
    args: (folder, option) => [model(folder), option, join(folder.write("file", ""), "below")],
    says: /file[\\/]below.*: a part of the path is a file, not a folder$/,
  },
];

function assertOneLine({ status, stdout, stderr }: Outcome, command: string, says: RegExp, expected: number): void {
  assertEquals([status, stdout], [expected, ""], stderr);
  assertMatch(stderr, new RegExp(`^webnn ${command}: [^\\n]*\\n$`));
  assertMatch(stderr.trimEnd(), says);
}

for (const [command, traits] of Object.entries(COMMANDS)) {
  const { ending = "", isNeeded, writes = "" } = traits;
  for (const fault of FAULTS) {
    if (fault.of && !traits[fault.of]) continue;
    Deno.test(`webnn ${command}, ${fault.name}: one line, status ${fault.status ?? 1}, no file`, async () => {
      using folder = temporaryFolder();
      const given = fault.args(folder, writes).map((arg) =>
        fault.of === "writes" ? arg.replace(/below$/, `$&${ending}`) : arg
      );
      const before = folder.names();
      const needed = isNeeded && fault.of !== "writes" ? [writes, join(folder.path, `result${ending}`)] : [];
      assertOneLine(await webnn(command, ...given, ...needed), command, fault.says, fault.status ?? 1);
      assertEquals(folder.names(), before);
    });
  }
}

Deno.test("a file without Deno's permission to read it: one line", async () => {
  using folder = temporaryFolder();
  const path = model(folder);
  const child = spawnWebnn(["info", path], ["--allow-all", `--deny-read=${path}`]);
  assertOneLine(await outcomeOf(child), "info", /linear\.onnx: Deno was started without permission for it$/, 1);
});

Deno.test({
  name: "a file that the user may not read: one line",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0, // root can read every file
  async fn() {
    using folder = temporaryFolder();
    const path = model(folder);
    Deno.chmodSync(path, 0);
    assertOneLine(await webnn("info", path), "info", /linear\.onnx: permission denied$/, 1);
  },
});

/** Whether this user can mount a file system in a namespace. */
function mayMount(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return new Deno.Command("unshare", { args: ["-rm", "true"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

for (
  const [command, option, file] of [
    ["run", "--output", ""],
    ["compile", "--cache", ""],
    ["convert", "--output", "/large.onnx"],
  ] as const
) {
  Deno.test({
    name: `a full disk: webnn ${command} says so in one line, and leaves nothing behind`,
    ignore: !mayMount(), // the disk of 64 kB is mounted with `unshare`
    async fn() {
      using folder = temporaryFolder();
      const disk = join(folder.path, "disk");
      Deno.mkdirSync(disk);
      const large = folder.write(
        "large.ts",
        `export default (builder) => {
          const descriptor = { dataType: "float32", shape: [100000] };
          const x = builder.input("x", descriptor);
          return { y: builder.add(x, builder.constant(descriptor, new Float32Array(100000))), z: builder.neg(x) };
        };`,
      );
      const script = 'mount -t tmpfs -o size=64k none "$1"; shift; "$@"; status=$?; ls -A "$0"; exit $status';
      const program = [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-all", MAIN];
      const { code, stdout, stderr } = await new Deno.Command("unshare", {
        args: ["-rm", "sh", "-c", script, disk, disk, ...program, command, large, option, disk + file],
      }).output();
      const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assertOneLine({ status: code, stdout: out!, stderr: errors! }, command, /: no space left on the device$/, 1);
    },
  });
}

Deno.test({
  name: "a full standard output: status 1 and one line",
  ignore: Deno.build.os !== "linux", // only Linux has /dev/full
  async fn() {
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", '"$@" > /dev/full', "sh", Deno.execPath(), "run", "-q", "--no-check", "-A", MAIN, "--help"],
    }).output();
    const text = new TextDecoder().decode(stderr);
    assertEquals(code, 1, text);
    assertMatch(text, /^webnn: [^\n]*\n$/);
  },
});

Deno.test("webnn install without pip says what to do", async () => {
  using folder = temporaryFolder();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "-A", MAIN, "install", "onnxruntime", "--dir", folder.path],
    env: { PATH: folder.path },
    stdin: "null",
  });
  const { code, stdout, stderr } = await child.output();
  const outcome = { status: code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  assertOneLine(outcome, "install", /pip was not found: install Python 3 with pip/, 1);
  assertEquals(folder.names(), []);
});
