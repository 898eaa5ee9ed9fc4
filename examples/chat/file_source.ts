/**
 * A byte source for a file on the disk.
 *
 * @module
 */
import { type ByteSource, checkRange } from "./byte_source.ts";

/** An open file, to be closed by the caller. */
export interface FileSource extends ByteSource {
  close(): void;
}

/** Opens a file. */
export function openFile(path: string): FileSource {
  const file = Deno.openSync(path);
  const { isFile, size } = file.statSync();
  if (!isFile) {
    file.close();
    throw new Error("it is not a file");
  }
  return {
    size,
    // Seeks and reads synchronously, because another conversation may read at the same time.
    read(offset, length, room) {
      return Promise.try(() => {
        checkRange(offset, length, size);
        file.seekSync(offset, Deno.SeekMode.Start);
        const bytes = room ?? new Uint8Array(length);
        for (let at = 0; at < length;) {
          const count = file.readSync(bytes.subarray(at));
          if (count === null) {
            throw new Error(`the file now ends at byte ${offset + at}; it was truncated since it was opened`);
          }
          at += count;
        }
        return bytes;
      });
    },
    close: () => file.close(),
  };
}
