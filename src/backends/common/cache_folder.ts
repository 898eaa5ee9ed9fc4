/**
 * The size of a cache on the disk: entries that were not used for longest go when there are too many.
 *
 * @module
 */

/** The bytes of all entries together where no limit is asked for. */
export const DEFAULT_SIZE_LIMIT = 2 * 2 ** 30;

/** Milliseconds after which an unfinished entry has been left behind by a program that ended. */
const ABANDONED = 24 * 60 * 60 * 1000;
/** The share of the limit that may be written before the size of all entries is looked at again: that takes a while. */
const CHECKED_SHARE = 1 / 16;

/** A file or folder in the folder of a cache. */
export interface CacheFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** When it was changed or last used, in milliseconds since 1970. */
  readonly modified: number;
}

/** The folder of a cache. */
export interface CacheFolder {
  /** How the names of entries end. */
  readonly entrySuffix: string;
  /** How the names of entries that are still being made end. */
  readonly workSuffix: string;
  /** All that is in it. */
  list(): readonly CacheFile[] | Promise<readonly CacheFile[]>;
  /** Removes a file or folder in it. */
  remove(name: string): void | Promise<void>;
}

/** Keeps the entries of a folder below a limit. */
export interface Eviction {
  /** To be called when an entry was written; now and then looks at all of them. Never fails: the next call tries again. */
  wrote(bytes: number): Promise<void>;
}

/**
 * Watches the size of a cache.
 * @param sizeLimit how many bytes the entries may have together
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
        // Another process may be at it, too.
      }
    },
  };
}

/** What is to go: unfinished entries that are old, and the entries beyond the limit. The newest entry and other files stay. */
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
