/**
 * Packages of PyPI, by pip as it is set up on the machine. Nothing of them is run: their native libraries are used.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure, fileError } from "../errors.ts";

/** A package of PyPI in one version. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** The SHA-256 of the files that may be taken, one for each platform; without them, whatever comes is taken. */
  readonly hashes?: readonly string[];
}

/** The platforms of a machine as PyPI calls them, for `Deno.build`. */
const PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  "linux x86_64": ["2_17", "2_27", "2_28", "2_35"].map((glibc) => `manylinux_${glibc}_x86_64`),
  "linux aarch64": ["2_17", "2_27", "2_28", "2_35"].map((glibc) => `manylinux_${glibc}_aarch64`),
  "darwin aarch64": ["macosx_11_0_arm64", "macosx_13_0_arm64", "macosx_14_0_arm64"],
  "windows x86_64": ["win_amd64"],
  "windows aarch64": ["win_arm64"],
};

/** How pip is called, in the order in which it is looked for. */
const COMMANDS = [["python3", "-m", "pip"], ["python", "-m", "pip"], ["py", "-m", "pip"], ["pip3"], ["pip"]] as const;

const NO_PIP = "there is no pip here: install Python 3 with pip, or download the library and name it in WEBNN_ORT_PATH";

/** What pip writes when something fails, and what it means; the first that fits is told. */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/DO NOT MATCH THE HASHES/i, "what came has not the expected SHA-256, so it is not used"],
  [/No space left on device/i, "no space left on the device"],
  [/Permission denied/i, "permission denied"],
  [
    /Retrying|ConnectionError|NewConnectionError|timed out|Temporary failure|ProxyError/i,
    "no package index is reached; check the network and pip's settings",
  ],
  [/No matching distribution/i, "the package index has no such file for this platform"],
];

/** Calls while pip works. */
export interface PipEvents {
  /** How many bytes of how many have arrived. Only pip 24.1 and later report it. */
  readonly onProgress?: (done: number, total: number) => void;
  /** The process has started. */
  readonly onStart?: (pip: Deno.ChildProcess) => void;
}

/**
 * Downloads a package, checks its hash, and unpacks it into a folder that exists.
 * @throws {Failure} that says what to do
 */
export async function installWheel(wheel: Wheel, folder: string, events: PipEvents = {}): Promise<void> {
  const platforms = PLATFORMS[`${Deno.build.os} ${Deno.build.arch}`];
  if (platforms === undefined) throw new Failure(`PyPI has nothing for ${Deno.build.os} on ${Deno.build.arch}`);
  const requirement = `${wheel.project}==${wheel.version}`;
  // In the folder, so that whoever removes it after an interruption removes this too.
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
  const { command: [program, ...first], tellsProgress } = await findPip();
  const child = new Deno.Command(program, {
    args: [...first, ...args, ...tellsProgress ? ["--progress-bar=raw"] : []],
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

/** How pip is called here. */
interface Pip {
  readonly command: readonly [program: string, ...args: string[]];
  readonly tellsProgress: boolean;
}

async function findPip(): Promise<Pip> {
  for (const command of COMMANDS) {
    const [, major, minor] = /^pip (\d+)\.(\d+)/.exec(await versionOf(command)) ?? [];
    if (major !== undefined) return { command, tellsProgress: Number(major) + Number(minor) / 100 >= 24.01 };
  }
  throw new Failure(NO_PIP);
}

/** What a program says of its version, empty if there is no such program. */
async function versionOf([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, { args: [...args, "--version"], stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return "";
  }
}

/** Fills a folder beside its place, and moves it there when it is whole. */
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
    // Another process may have put it there meanwhile.
    if (!existsSync(place)) throw error;
  }
}
