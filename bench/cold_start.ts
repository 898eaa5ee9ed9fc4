/**
 * How long it takes from the start of a process to the first result of MobileNetV2: by this module without a compile
 * cache and with one, and by npm onnxruntime-node in Deno. See --help.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { readLines } from "./baselines/protocol.ts";
import { writeJobFolder } from "./report/job_folder.ts";
import { mobileNetV2, mobileNetV2Weights, whatIsMissing } from "./support/mobilenetv2.ts";
import { median, spreadOf } from "./support/statistics.ts";

const HELP = `Measures the time from the start of a Deno process to the first result of MobileNetV2.

  deno task bench:cold-start [--rounds N]

  --rounds N   how often each contestant starts, in turns (15)
  --help       this text

It prints a Markdown table of medians, of the range of the middle half, and of the ratio to onnxruntime-node. The files
are in the system's cache, and the cache of compiled graphs is filled before the first round that counts.`;

/** Whom to start, and how. */
interface Contestant {
  readonly name: string;
  readonly args: readonly string[];
}

const options = parseArgs(Deno.args, { string: ["rounds"], boolean: ["help"], default: { rounds: "15" } });
const rounds = Number(options.rounds);
const missing = whatIsMissing();
if (options.help) console.log(HELP);
else if (missing) console.error(missing);
else if (!(rounds >= 1)) console.error(`--rounds must be a number from 1 on, not ${options.rounds}\nSee --help.`);
else await compare();

async function compare(): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const suite = await mobileNetV2();
    await writeJobFolder(suite, folder);
    const contestants = contestantsIn(folder);
    const times: number[][] = contestants.map(() => []);
    for (let round = -1; round < rounds; round++) {
      for (let turn = 0; turn < contestants.length; turn++) {
        const i = (turn + round + 1) % contestants.length;
        const { milliseconds, result } = await start(contestants[i]!);
        suite.check(result);
        if (round >= 0) times[i]!.push(milliseconds);
      }
    }
    report(contestants, times);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function contestantsIn(folder: string): Contestant[] {
  const program = (name: string) => fileURLToPath(new URL(`support/cold_start_${name}.ts`, import.meta.url));
  const weights = mobileNetV2Weights();
  return [
    { name: "onnxruntime-node", args: [program("node"), join(folder, "model.onnx")] },
    { name: "this module, no cache", args: [program("webnn"), weights] },
    { name: "this module, cached", args: [program("webnn"), weights, join(folder, "cache")] },
  ];
}

/** From the start of a process to the line that it prints. */
async function start({ name, args }: Contestant): Promise<{ milliseconds: number; result: Float32Array }> {
  const began = performance.now();
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", ...args],
    stdout: "piped",
    stderr: "inherit",
  });
  await using child = command.spawn();
  let milliseconds = 0;
  let result: number[] = [];
  for await (const line of readLines(child.stdout)) {
    milliseconds = performance.now() - began;
    result = JSON.parse(line);
  }
  if (!(await child.status).success) throw new Error(`${name} failed`);
  return { milliseconds, result: Float32Array.from(result) };
}

function report(contestants: readonly Contestant[], times: readonly (readonly number[])[]): void {
  console.log("| process start to first result | median | middle half | ÷ onnxruntime-node |");
  console.log("| --- | --- | --- | --- |");
  for (const [i, { name }] of contestants.entries()) {
    const { median: middle, p25, p75 } = spreadOf(times[i]!);
    const ratio = median(times[i]!.map((time, round) => time / times[0]![round]!));
    console.log(
      `| ${name} | ${middle.toFixed(0)} ms | ${p25.toFixed(0)} – ${p75.toFixed(0)} ms | ${ratio.toFixed(2)} |`,
    );
  }
}
