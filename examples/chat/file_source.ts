/**
 * A file of the disk as a source of bytes.
 *
 * @module
 */
import { type ByteSource, checkRange } from "./byte_source.ts";

/** A file that is open until it is closed. */
export interface FileSource extends ByteSource {
  close(): void;
}

/** Opens a file. */
export function openFile(path: string): FileSource {
  const file = Deno.openSync(path);
  const { isFile, size } = file.statSync();
  if (!isFile) {
    file.close();
    throw new Error("this is no file");
  }
  return {
    size,
    // Place and bytes in one turn: another conversation may read at the same time.
    read(offset, length, room) {
      return Promise.try(() => {
        checkRange(offset, length, size);
        file.seekSync(offset, Deno.SeekMode.Start);
        const bytes = room ?? new Uint8Array(length);
        for (let at = 0; at < length;) {
          const count = file.readSync(bytes.subarray(at));
          if (count === null) throw new Error(`the file ends at byte ${offset + at}; it was cut while it was read`);
          at += count;
        }
        return bytes;
      });
    },
    close: () => file.close(),
  };
}
