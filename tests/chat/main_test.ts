/** Runs the task as a user does, on a small model with random weights. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { tinyFile } from "./tiny_model.ts";

const MAIN = fileURLToPath(new URL("../../examples/chat/main.ts", import.meta.url));
const FLAGS = ["--allow-ffi", "--allow-read", "--allow-env"];
const REPORT = /prompt: \d+ tokens, \d+\.\d tokens\/s\nanswer: (\d+) tokens, \d+\.\d tokens\/s\n$/;

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function chat(args: readonly string[], input = ""): Promise<Ending> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...FLAGS, MAIN, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function withModel(work: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".gguf" });
  try {
    await Deno.writeFile(file, tinyFile({ architecture: "llama", types: ["Q4_1"], headType: "Q8_0" }).bytes);
    await work(file);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("one question: only the answer is on standard output, and the speed on standard error", () =>
  withModel(async (model) => {
    const options = ["hello there", "--model", model, "--threads", "1", "--tokens", "12"];
    const [first, second] = await Promise.all([chat(options), chat([...options, "--temperature", "0"])]);
    assertEquals([first.code, first.stdout], [0, second.stdout]);
    assert(first.stdout.endsWith("\n") && first.stdout.length > 1);
    assertMatch(first.stderr, REPORT);
    assertEquals(Number(REPORT.exec(first.stderr)![1]) <= 12, true);
  }));

Deno.test("each line of standard input is a question, and its end ends the program", () =>
  withModel(async (model) => {
    const drawn = ["--temperature", "1.5", "--seed", "9", "--top-k", "0", "--top-p", "1"];
    const { code, stderr } = await chat(["--model", model, "--tokens", "4", ...drawn], "one\n\ntwo\r\nthree");
    assertEquals([code, stderr.match(/^answer: /gm)?.length], [0, 3]);
    assertMatch(stderr, REPORT);
  }));

Deno.test("it is not an error if standard output is closed before the end", () =>
  withModel(async (model) => {
    const args = ["run", "--quiet", ...FLAGS, MAIN, "hello", "--model", model, "--tokens", "12", "--threads", "1"];
    const command = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr: "piped" });
    const child = command.spawn();
    await child.stdout.cancel();
    const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assertEquals([code, stderr], [0, ""]);
  }));

Deno.test("--tokenize prints a line of ids for each JSON string", () =>
  withModel(async (model) => {
    const { code, stdout } = await chat(
      ["--tokenize", "--model", model],
      '"hello thing"\n"<|end|>\\u2028"\n"\u2028é"\n""\n',
    );
    assertEquals(code, 0);
    const lines = stdout.trim().split("\n").map((line): number[] => JSON.parse(line));
    const byte = (value: number) => 4 + value;
    // "he", "ll", "o", " ", "th", "ing"
    assertEquals(lines[0], [260, 261, byte(111), byte(32), 263, 269]);
    assertEquals(lines[1], [0, byte(0xe2), byte(0x80), byte(0xa8)]);
    assertEquals(lines[2], [byte(0xe2), byte(0x80), byte(0xa8), byte(0xc3), byte(0xa9)]);
    assertEquals(lines[3], []);
  }));

Deno.test("errors are one line, and the status is 1", () =>
  withModel(async (model) => {
    const broken = `${model}.cut`;
    await Deno.writeFile(broken, (await Deno.readFile(model)).subarray(0, 20000));
    const cases: [string[], string, RegExp][] = [
      [["--threads", "0", "x"], "", /--threads must be a positive integer/],
      [["--top-p", "2", "x"], "", /--top-p must be a number from 0 to 1/],
      [["a", "b"], "", /there are 2 prompts; pass one, in quotes/],
      [["x", "--model", "nowhere.gguf"], "", /nowhere\.gguf: the file does not exist/],
      [["x", "--model", broken], "", /the file ends/],
      [["--tokenize", "--model", model], "7\n", /line 1 of standard input is not a JSON string/],
      [["x".repeat(700), "--model", model, "--context", "100"], "", /a context of 100 has room for 99/],
      [["x", "--model", model, "--context", "5000"], "", /--context must be at most 1024/],
    ];
    try {
      for (const [args, input, reason] of cases) {
        const { code, stderr, stdout } = await chat(args, input);
        assertEquals([code, stdout, stderr.trim().split("\n").length], [1, "", 1], stderr);
        assertMatch(stderr, reason);
      }
    } finally {
      await Deno.remove(broken);
    }
  }));
