/**
 * Limits the size of a cache on disk: deletes the least recently used entries.
 *
 * @module
 */

/** The default limit for the total size of all entries, in bytes. */
export const DEFAULT_SIZE_LIMIT = 2 * 2 ** 30;

/** An unfinished entry of this age, in milliseconds, was left behind by a program that ended. */
const ABANDONED = 24 * 60 * 60 * 1000;
/** The share of the limit that may be written before the folder is listed again, which takes a while. */
const CHECKED_SHARE = 1 / 16;

/** A file or folder in a cache folder. */
export interface CacheFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** When it was last changed or used, in milliseconds since 1970. */
  readonly modified: number;
}

/** A cache folder. */
export interface CacheFolder {
  /** The suffix of entries. */
  readonly entrySuffix: string;
  /** The suffix of entries that are still being written. */
  readonly workSuffix: string;
  /** Everything in it. */
  list(): readonly CacheFile[] | Promise<readonly CacheFile[]>;
  /** Removes a file or folder in it. */
  remove(name: string): void | Promise<void>;
}

/** Keeps a cache folder below its size limit. */
export interface Eviction {
  /** Call it after writing an entry. Now and then, it lists the folder and deletes entries. Never fails. */
  wrote(bytes: number): Promise<void>;
}

/**
 * Limits the size of a cache folder.
 * @param sizeLimit the maximum total size of the entries, in bytes
 */
export function limitSize(folder: CacheFolder, sizeLimit: number): Eviction {
  let unchecked = Infinity;
  return {
    async wrote(bytes) {
      unchecked += bytes;
      if (unchecked <= sizeLimit * CHECKED_SHARE) return;
      unchecked = 0;
      try {
        for (const name of chooseEvicted(await folder.list(), folder, sizeLimit)) await folder.remove(name);
      } catch {
        // Another process may be deleting too. The next call tries again.
      }
    },
  };
}

/** The files to delete: old unfinished entries, and entries beyond the limit. The newest entry and other files stay. */
export function chooseEvicted(
  files: readonly CacheFile[],
  { entrySuffix, workSuffix }: Pick<CacheFolder, "entrySuffix" | "workSuffix">,
  sizeLimit: number,
): string[] {
  const isAbandoned = ({ name, modified }: CacheFile) => name.endsWith(workSuffix) && Date.now() - modified > ABANDONED;
  const entries = files.filter(({ name }) => name.endsWith(entrySuffix)).sort((a, b) => b.modified - a.modified);
  let total = 0;
  const surplus = entries.filter(({ size }, i) => (total += size) > sizeLimit && i > 0);
  return [...files.filter(isAbandoned), ...surplus].map(({ name }) => name);
}
