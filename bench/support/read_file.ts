/**
 * Reading files.
 *
 * @module
 */

/** Reads a file into one array. `Deno.readFile` has the bytes two times in memory before it is done. */
export function readFileOnce(path: string): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(file.statSync().size);
  for (let read = 0; read < bytes.byteLength;) {
    const count = file.readSync(bytes.subarray(read));
    if (count === null) throw new Error(`${path} became shorter while it was read`);
    read += count;
  }
  return bytes;
}
