/**
 * The program of the bundle that `deno task device:bundle` makes: checks and measures the devices of a machine, and
 * writes a report. See HELP. The command `run` next to it sets the environment variables with the paths of the files.
 *
 * @module
 */

import { cpus } from "node:os";
import { join } from "node:path";
import type { DeviceEntry } from "@webnn/deno";
import { messageOf } from "../src/errors.ts";
import { type Contestant, contestants, REFERENCE, takesPart, WEBNN } from "../bench/report/contestants.ts";
import { measureSuite, type SuiteResult } from "../bench/report/measure.ts";
import { LARGE, suites } from "../bench/support/suites.ts";
import { namesIn, positiveInteger, runProgram, showProgress } from "../support/program.ts";
import { type DeviceFindings, type Findings, hasPassed, type Outcome, writeReport } from "./report.ts";
import { type Progress, type Results, STEPS } from "./steps.ts";

const SUITES = ["trivial", "squeezenet", "mobilenetv2", "matmul-256", "matmul-512", "matmul-1024", "attention-block"];
const LARGE_SUITES = suites.filter(({ group }) => group === LARGE).map(({ name }) => name);
const STEP_NAMES = ["cases", "networks", "models", "copies", "suites"] as const;

const HELP = `Checks and measures the devices of this machine. Writes device_report.md and device_report.json.

Usage: ./run [--device NAME,...] [--steps NAME,...] [--suite NAME,...] [--filter OPERATOR] [--rounds N] [--output-dir DIR]

  --device      devices to check: cpu, webgpu, cuda, tensorrt (all that are available)
  --steps       ${STEP_NAMES.join(", ")} (all)
  --suite       suites to measure: ${SUITES.join(", ")},
                and where there is an accelerator, ${LARGE_SUITES.join(", ")};
                or others of bench:report
  --filter      check only WPT's cases of this operator
  --rounds      turns of each measurement (7)
  --output-dir  the folder for the reports (the folder of ./run)
  --help        print this text

For comparison, it also measures ONNX Runtime called from C, and PyTorch if it is installed for the Python in the
variable PYTHON (default python3). Exits with status 1 if a step failed, or more than 5 % of WPT's cases within the
limits.`;

/** Where the bundle's files are. */
const FOLDER = import.meta.dirname!;
const DENO = [Deno.execPath(), "run", "--allow-all", "--no-config", "--no-lock", "--cached-only"];

/** How to start contestants of bench:report here. */
const COMMANDS: Readonly<Record<string, (library: string) => readonly string[]>> = {
  [WEBNN]: () => [...DENO, join(FOLDER, "webnn.js")],
  [REFERENCE]: (library) => [join(FOLDER, "onnxruntime"), library],
  pytorch: () => [Deno.env.get("PYTHON") || "python3", join(FOLDER, "python", "pytorch_contestant.py")],
};

interface Options {
  readonly devices: readonly string[] | undefined;
  readonly steps: readonly string[];
  readonly suites: readonly string[] | undefined;
  readonly filter: string | undefined;
  readonly rounds: number;
  readonly outputDir: string;
}

const OPTIONS = {
  string: ["device", "steps", "suite", "filter", "rounds", "output-dir"],
  default: { steps: STEP_NAMES.join(), rounds: "7", "output-dir": "." },
} as const;

async function checkDevices(options: Options): Promise<number> {
  const listing = await runStep("devices", "cpu", undefined);
  const names = options.devices ?? ("result" in listing ? available(listing.result) : ["cpu"]);
  let findings: Findings = {
    command: ["./run", ...Deno.args.slice(2)].join(" "),
    machine: machine(),
    listing,
    devices: [],
  };
  for (const name of names) {
    const found = await checkDevice(name, options);
    showProgress("");
    if ("problem" in found.context) console.error(`${name}: ${found.context.problem}`);
    findings = { ...findings, devices: [...findings.devices, found] };
    await write(findings, options.outputDir); // The next steps may take long or crash.
  }
  const file = join(options.outputDir, "device_report");
  console.log(`${file}.md and .json: ${hasPassed(findings) ? "all checks passed" : "something failed"}`);
  return hasPassed(findings) ? 0 : 1;
}

function machine(): Findings["machine"] {
  return {
    system: `${Deno.build.target}, ${Deno.osRelease()}`,
    cpu: cpus()[0]?.model ?? "an unknown processor",
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
  };
}

async function write(findings: Findings, folder: string): Promise<void> {
  await Deno.writeTextFile(join(folder, "device_report.md"), writeReport(findings));
  await Deno.writeTextFile(join(folder, "device_report.json"), JSON.stringify(findings, null, 2) + "\n");
}

function available(entries: readonly DeviceEntry[]): string[] {
  return [...new Set(entries.filter((entry) => entry.available).map(({ provider }) => provider))];
}

/** Checks everything on one device, unless it cannot be opened. */
async function checkDevice(
  device: string,
  { filter, rounds, steps, suites: requested }: Options,
): Promise<DeviceFindings> {
  const context = await runStep("context", device, undefined);
  if ("problem" in context) return { device, context, suites: [] };
  const step = async <Name extends "cases" | "networks" | "models" | "copies">(name: Name) =>
    steps.includes(name) ? { [name]: await runStep(name, device, filter) } : {};
  const results = {
    ...await step("cases"),
    ...await step("networks"),
    ...await step("models"),
    ...await step("copies"),
  };
  const { accelerated, float16 } = context.result;
  const large = accelerated ? LARGE_SUITES.filter((name) => float16 || !name.endsWith("half")) : [];
  const timed: Outcome<SuiteResult>[] = [];
  for (const suite of steps.includes("suites") ? requested ?? [...SUITES, ...large] : []) {
    timed.push(await time(suite, device, rounds));
  }
  return { device, context, ...results, suites: timed };
}

/** Runs a step in a process of its own. Its last line of output is the result. */
async function runStep<Name extends keyof Results>(
  name: Name,
  device: string,
  filter: string | undefined,
): Promise<Outcome<Results[Name]>> {
  showProgress(`${device}: ${name}`);
  const child = new Deno.Command(DENO[0]!, {
    args: [...DENO.slice(1), import.meta.filename!, STEP, name, device, filter ?? ""],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr.pipeThrough(progressFilter(`${device}: ${name}`))).text();
  const output = (await new Response(child.stdout).text()).trim();
  const { signal, success } = await child.status;
  const errorText = (await errors).trim();
  if (!success) {
    return { problem: signal === null ? errorText : `the process was ended by ${signal}. ${errorText.slice(-500)}` };
  }
  return { result: JSON.parse(output.split("\n").at(-1)!) };
}

/** The first argument of a process that runs one step. */
const STEP = "step";
/** The prefix of progress lines. */
const PROGRESS = "\x02";

/** Runs a step, in the process of the step. */
async function runOwnStep(name: keyof Results, device: string, filter: string): Promise<void> {
  const progress: Progress = (text) => console.error(PROGRESS + text);
  try {
    console.log(JSON.stringify(await STEPS[name](device, filter || undefined, progress)));
  } catch (error) {
    console.error(messageOf(error));
    Deno.exitCode = 1;
  }
}

/** Shows the progress lines, and passes on the others. */
function progressFilter(what: string): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  const [decoder, encoder] = [new TextDecoder(), new TextEncoder()];
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith(PROGRESS)) showProgress(`${what}: ${line.slice(1)}`);
        else controller.enqueue(encoder.encode(`${line}\n`));
      }
    },
    flush: (controller) => controller.enqueue(encoder.encode(rest)),
  });
}

async function time(suite: string, device: string, rounds: number): Promise<Outcome<SuiteResult>> {
  try {
    const threads = navigator.hardwareConcurrency;
    const progress = (step: string) => showProgress(`${device}: ${suite}: ${step}`);
    const settings = { suite, threads, device, rounds, contestants: contestantsOn(device), reference: WEBNN, progress };
    return { result: await measureSuite(settings) };
  } catch (error) {
    return { problem: `${suite}: ${messageOf(error)}` };
  }
}

/** The contestants in the bundle that can run on a device. */
function contestantsOn(device: string): Contestant[] {
  return contestants.filter((contestant) => contestant.always === undefined && takesPart(contestant, device))
    .flatMap((contestant) => {
      const start = COMMANDS[contestant.name];
      return start ? [{ ...contestant, prepare: ({ library }) => Promise.resolve(start(library)) }] : [];
    });
}

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  if (first === STEP) await runOwnStep(...rest as [keyof Results, string, string]);
  else {await runProgram("run", HELP, OPTIONS, (args) =>
      checkDevices({
        devices: args.device?.split(","),
        steps: namesIn(args.steps, STEP_NAMES, "--steps"),
        suites: args.suite === undefined ? undefined : namesIn(args.suite, suites.map(({ name }) => name), "--suite"),
        filter: args.filter,
        rounds: positiveInteger(args.rounds, "--rounds"),
        outputDir: args["output-dir"],
      }));}
}
