/**
 * Bytes of a file, read piece by piece, so that a model is never in memory as a whole.
 *
 * @module
 */

/** A file, wherever it lies. */
export interface ByteSource {
  /** Its length in bytes. */
  readonly size: number;
  /**
   * `length` bytes from `offset` on. Rejects where the file is shorter.
   * @param room memory of so many bytes in which they may be put, so that none has to be allocated
   */
  read(offset: number, length: number, room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** A Blob or a File, as a page gets them. */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(offset, length) {
      checkRange(offset, length, blob.size);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** Refuses a piece that is not in the file as a whole. */
export function checkRange(offset: number, length: number, size: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new Error(`the file ends at byte ${size}, before byte ${offset + length} that its header promises`);
}
