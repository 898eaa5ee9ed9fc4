/**
 * Reads a file in pieces, so that the whole model is never in memory.
 *
 * @module
 */

/** A file on the disk or in a browser. */
export interface ByteSource {
  /** The size in bytes. */
  readonly size: number;
  /**
   * Reads `length` bytes from `offset` on. Rejects if the file is shorter.
   * @param room optional memory of `length` bytes to read into, to save an allocation
   */
  read(offset: number, length: number, room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** A source for a Blob or File, for use in a page. */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(offset, length) {
      checkRange(offset, length, blob.size);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** Throws if a range exceeds the file. */
export function checkRange(offset: number, length: number, size: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new Error(`the file ends at byte ${size}, but its header requires ${offset + length} bytes`);
}
