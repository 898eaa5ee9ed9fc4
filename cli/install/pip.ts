/**
 * Downloads PyPI packages with pip and its settings on the machine, for their native libraries. No Python code in them
 * is run.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure, fileError } from "../errors.ts";

/** A PyPI package in one version. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** The SHA-256 of the accepted files, one for each platform. Without hashes, any file is accepted. */
  readonly hashes?: readonly string[];
}

/** PyPI's names of the platforms, by the operating system and processor of `Deno.build`. */
const PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  "linux x86_64": ["2_17", "2_27", "2_28", "2_35"].map((glibc) => `manylinux_${glibc}_x86_64`),
  "linux aarch64": ["2_17", "2_27", "2_28", "2_35"].map((glibc) => `manylinux_${glibc}_aarch64`),
  "darwin aarch64": ["macosx_11_0_arm64", "macosx_13_0_arm64", "macosx_14_0_arm64"],
  "windows x86_64": ["win_amd64"],
  "windows aarch64": ["win_arm64"],
};

/** The commands that may run pip, in the order in which they are tried. */
const COMMANDS = [["python3", "-m", "pip"], ["python", "-m", "pip"], ["py", "-m", "pip"], ["pip3"], ["pip"]] as const;

const NO_PIP = "pip was not found: install Python 3 with pip, or download the library and name it in WEBNN_ORT_PATH";

/** Error messages of pip, and what they mean. The first match is reported. */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/DO NOT MATCH THE HASHES/i, "the downloaded file does not have the expected SHA-256, so it is not used"],
  [/No space left on device/i, "no space left on the device"],
  [/Permission denied/i, "permission denied"],
  [
    /Retrying|ConnectionError|NewConnectionError|timed out|Temporary failure|ProxyError/i,
    "the package index cannot be reached; check the network and pip's settings",
  ],
  [/No matching distribution/i, "the package index has no file for this platform"],
];

/** Callbacks while pip runs. */
export interface PipEvents {
  /** Reports the downloaded and the total bytes. Needs pip 24.1 or later. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called when the process has started. */
  readonly onStart?: (pip: Deno.ChildProcess) => void;
}

/**
 * Downloads a package, checks its hash, and unpacks it into an existing folder.
 * @throws {Failure} if there is no pip, or pip fails
 */
export async function installWheel(wheel: Wheel, folder: string, events: PipEvents = {}): Promise<void> {
  const platforms = PLATFORMS[`${Deno.build.os} ${Deno.build.arch}`];
  if (platforms === undefined) throw new Failure(`PyPI has nothing for ${Deno.build.os} on ${Deno.build.arch}`);
  const requirement = `${wheel.project}==${wheel.version}`;
  // In the folder, so that it is removed with the folder after an interruption.
  const file = join(folder, ".requirements.txt");
  try {
    const hashes = (wheel.hashes ?? []).map((hash) => ` --hash=sha256:${hash}`).join("");
    await Deno.writeTextFile(file, `${requirement}${hashes}\n`);
    const args = [
      ...wheel.hashes ? ["--require-hashes"] : [],
      "--no-deps",
      "--no-compile",
      "--no-input",
      "--disable-pip-version-check",
      "--only-binary=:all:",
      "--python-version=3.11",
      ...platforms.map((platform) => `--platform=${platform}`),
      `--target=${folder}`,
      `--requirement=${file}`,
    ];
    await runPip(["install", ...args], requirement, events);
  } finally {
    await Deno.remove(file);
  }
}

async function runPip(
  args: readonly string[],
  requirement: string,
  { onProgress = () => {}, onStart = () => {} }: PipEvents,
): Promise<void> {
  const { command: [program, ...first], reportsProgress } = await findPip();
  const child = new Deno.Command(program, {
    args: [...first, ...args, ...reportsProgress ? ["--progress-bar=raw"] : []],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  onStart(child);
  const errors = new Response(child.stderr).text();
  for await (const output of child.stdout.pipeThrough(new TextDecoderStream())) {
    const [, done, total] = [...output.matchAll(/Progress (\d+) of (\d+)/g)].at(-1) ?? [];
    if (done !== undefined && Number(total) > 0) onProgress(Number(done), Number(total));
  }
  const { success } = await child.status;
  const text = (await errors).trim();
  if (success) return;
  const problem = PROBLEMS.find(([pattern]) => pattern.test(text))?.[1];
  throw new Failure(`pip cannot install ${requirement}: ${problem ?? text.split("\n").at(-1)}`, { cause: text });
}

/** The pip that was found. */
interface Pip {
  readonly command: readonly [program: string, ...args: string[]];
  readonly reportsProgress: boolean;
}

async function findPip(): Promise<Pip> {
  for (const command of COMMANDS) {
    const [, major, minor] = /^pip (\d+)\.(\d+)/.exec(await versionOf(command)) ?? [];
    if (major !== undefined) return { command, reportsProgress: Number(major) + Number(minor) / 100 >= 24.01 };
  }
  throw new Failure(NO_PIP);
}

/** The output of a program for `--version`; empty if there is no such program. */
async function versionOf([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, { args: [...args, "--version"], stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return "";
  }
}

/** Fills a temporary folder next to `place`, and renames it to `place` when it is complete. */
export async function unpack(place: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${place}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(dirname(place), { recursive: true });
    await Deno.mkdir(folder);
  } catch (error) {
    throw fileError(dirname(place), error);
  }
  try {
    await fill(folder);
    await Deno.rename(folder, place);
  } catch (error) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    // Another process may have created the folder in the meantime.
    if (!existsSync(place)) throw error;
  }
}
