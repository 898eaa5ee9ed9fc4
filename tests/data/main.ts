/**
 * `deno task data`: downloads the weights, photos and test cases that tests, benchmarks and examples use, from the public
 * repositories where they were published.
 *
 * @module
 */
import { join } from "node:path";
import { runProgram, showProgress } from "../../support/program.ts";
import { testData } from "../../support/test_data.ts";
import { download, readIfExists, readIfValid, sha256, writeAtomically } from "./download.ts";
import { ORIGIN, OWN_FILES, REMOTE_FILES, type RemoteFile, WEIGHTS_FILES, type WeightsFile, WPT } from "./files.ts";
import { convertScripts } from "./wpt_cases.ts";
import { countElements, readNpy, safetensors, type TensorList } from "./weights.ts";

const HELP = `Downloads the weights, photos and test cases that tests, benchmarks and examples use: 23 MB, from public
repositories on GitHub.

Usage: deno task data [options]

Files that exist already with the right checksum (SHA-256) are kept. An interrupted download continues where it stopped.

  --output DIR   the folder (default: WEBNN_TEST_DATA, or "shared" next to the checkout)
  --origin URL   a server with the same paths, OWNER/REPOSITORY/COMMIT/PATH (default: ${ORIGIN})
  -h, --help     print this text

The test cases are converted from the numeric web platform tests. To run the original tests, use deno task wpt, which
downloads them itself.`;

/** The source and the target of files. */
interface Places {
  readonly origin: string;
  readonly folder: string;
}

await runProgram("data", HELP, { string: ["output", "origin"] }, async ({ output, origin }) => {
  const places = { origin: origin ?? ORIGIN, folder: output ?? testData(".") };
  const tasks = [
    ...OWN_FILES.map((path) => ({ path, get: () => copyOwn(path, places) })),
    ...REMOTE_FILES.map((file) => ({ path: file.path, get: () => getRemote(file, places) })),
    ...WEIGHTS_FILES.map((file) => ({ path: file.path, get: () => getWeights(file, places) })),
    { path: "wpt/cases/", get: () => getCases(places) },
  ];
  for (const { path, get } of tasks) {
    showProgress(path);
    const isNew = await get();
    showProgress("");
    console.log(`${isNew ? "written" : "kept   "}  ${join(places.folder, path)}`);
  }
});

/**
 * Downloads the numeric web platform tests and converts them to cases, unless cases of the same commit exist.
 * @returns whether files were written, as do the functions below
 */
async function getCases(places: Places): Promise<boolean> {
  const folder = join(places.folder, "wpt/cases");
  const index = await readIfExists(join(folder, "INDEX.json"));
  if (index !== undefined && JSON.parse(new TextDecoder().decode(index)).wptCommit === WPT.commit) return false;
  const cases = convertScripts(await getScripts(`${folder}.scripts`, places));
  for (const [op, list] of cases) {
    const text = JSON.stringify({ op, source_commit: WPT.commit, source_date: WPT.date, cases: list });
    await writeAtomically(join(folder, `${op}.json`), new TextEncoder().encode(text));
  }
  const count = Array.from(cases.values()).reduce((sum, list) => sum + list.length, 0);
  const content = { wptCommit: WPT.commit, wptDate: WPT.date, licence: "BSD-3-Clause", cases: count };
  await writeAtomically(join(folder, "INDEX.json"), new TextEncoder().encode(JSON.stringify(content)));
  await Deno.remove(`${folder}.scripts`, { recursive: true });
  return true;
}

/** Downloads the scripts of the web platform tests. Returns them by path. */
async function getScripts(folder: string, { origin }: Places): Promise<Map<string, string>> {
  const sums: Record<string, string> = JSON.parse(
    await Deno.readTextFile(new URL("wpt.sources.json", import.meta.url)),
  );
  const texts = new Map<string, string>();
  for (const [path, expected] of Object.entries(sums)) {
    showProgress(`${path}: ${texts.size + 1} of ${Object.keys(sums).length}`);
    const url = `${origin}${WPT.repository}/${WPT.commit}/${path}`;
    const target = join(folder, path);
    if (await readIfExists(target) === undefined) await download(url, target);
    const bytes = await Deno.readFile(target);
    if (await sha256(bytes) !== expected) await Deno.remove(target);
    await check(bytes, expected, url);
    texts.set(path, new TextDecoder().decode(bytes));
  }
  return texts;
}

/** Copies a file of this repository, unless the target has the same contents. */
async function copyOwn(path: string, { folder }: Places): Promise<boolean> {
  const bytes = await Deno.readFile(new URL(`files/${path}`, import.meta.url));
  const target = join(folder, path);
  if (await readIfValid(target, await sha256(bytes)) !== undefined) return false;
  await writeAtomically(target, bytes);
  return true;
}

/** Downloads a file, unless it exists. */
async function getRemote({ path, address, sha256: expected }: RemoteFile, places: Places): Promise<boolean> {
  const target = join(places.folder, path);
  if (await readIfValid(target, expected) !== undefined) return false;
  const downloaded = `${target}.download`;
  await download(places.origin + address, downloaded);
  const bytes = await Deno.readFile(downloaded);
  await Deno.remove(downloaded);
  await check(bytes, expected, places.origin + address);
  await writeAtomically(target, bytes);
  return true;
}

/** Downloads tensors and writes them to one file, unless it exists. */
async function getWeights(file: WeightsFile, places: Places): Promise<boolean> {
  const target = join(places.folder, file.path);
  if (await readIfValid(target, file.sha256) !== undefined) return false;
  const parts = `${target}.tensors`;
  const list: TensorList = JSON.parse(await Deno.readTextFile(new URL(file.tensors, import.meta.url)));
  const names = Object.keys(list.tensors);
  const elements = new Map<string, Uint8Array>();
  for (const [i, name] of names.entries()) {
    showProgress(`${file.path}: tensor ${i + 1} of ${names.length}`);
    elements.set(name, await getTensor(file, name, list.tensors[name]!, join(parts, `${name}.npy`), places));
  }
  const bytes = safetensors(list, elements);
  // Removed before the check, so that a wrong part is downloaded again in the next run.
  await Deno.remove(parts, { recursive: true });
  await check(bytes, file.sha256, `${file.path}, created from ${names.length} tensors,`);
  await writeAtomically(target, bytes);
  return true;
}

async function getTensor(
  file: WeightsFile,
  name: string,
  shape: readonly number[],
  path: string,
  { origin }: Places,
): Promise<Uint8Array> {
  const compute = file.computed?.[name];
  if (compute !== undefined) {
    return new Uint8Array(Float32Array.from({ length: countElements(shape) }, (_, i) => compute(i)).buffer);
  }
  const url = origin + file.address(name);
  if (await readIfExists(path) === undefined) await download(url, path);
  try {
    return readNpy(await Deno.readFile(path), shape);
  } catch (error) {
    await Deno.remove(path);
    throw new Error(`${url}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

async function check(bytes: Uint8Array<ArrayBuffer>, expected: string, what: string): Promise<void> {
  const found = await sha256(bytes);
  if (found !== expected) throw new Error(`${what} has the SHA-256 ${found}, not ${expected}; it was not stored`);
}
