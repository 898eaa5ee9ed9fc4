/** Downloads files, resumes interrupted downloads, and checks checksums. */
import { dirname } from "node:path";

/** The SHA-256 of bytes, in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a file; `undefined` if it does not exist or has another checksum. */
export async function readIfValid(path: string, expected: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await readIfExists(path);
  return bytes !== undefined && await sha256(bytes) === expected ? bytes : undefined;
}

/** The bytes of a file; `undefined` if it does not exist. */
export async function readIfExists(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes a file, and creates its folder. It is renamed from a temporary name, so it is either complete or missing. */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(`${path}.new`, bytes);
  await Deno.rename(`${path}.new`, path);
}

/**
 * Downloads a file to `path`. Continues an interrupted download from `path + ".part"`.
 *
 * @throws Error with the address and the reason
 */
export async function download(url: string, path: string): Promise<void> {
  const part = `${path}.part`;
  await Deno.mkdir(dirname(path), { recursive: true });
  const start = (await Deno.stat(part).catch(() => undefined))?.size ?? 0;
  const response = await request(url, start);
  if (response.status !== 416) {
    using file = await Deno.open(part, { create: true, write: true, append: response.status === 206 });
    if (response.status !== 206) await file.truncate();
    try {
      for await (const chunk of response.body ?? []) await writeAll(file, chunk);
    } catch (error) {
      throw new Error(`${url}: the connection was lost (${reasonOf(error)}); run it again to continue`, {
        cause: error,
      });
    }
  } else {
    await response.body?.cancel(); // The part is already the whole file.
  }
  await Deno.rename(part, path);
}

async function request(url: string, start: number): Promise<Response> {
  // Ranges do not work with compressed content.
  const headers = { "Accept-Encoding": "identity", ...(start > 0 && { Range: `bytes=${start}-` }) };
  const response = await fetch(url, { headers }).catch((error) => {
    throw new Error(`${url} cannot be reached: ${reasonOf(error)}`, { cause: error });
  });
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  throw new Error(`${url}: the server answered ${response.status} ${response.statusText}`);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** The messages of an error and its causes: the message of `fetch` itself has no reason. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
