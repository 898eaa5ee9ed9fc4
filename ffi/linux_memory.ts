/**
 * The available memory of a process on Linux, from the files in /proc and /sys.
 *
 * @module
 */

/** Reads a kernel file as text; `undefined` if it cannot be read. */
export type ReadFile = (path: string) => string | undefined;

/**
 * Returns a function for the bytes that are left to the machine and to the process's control groups (the limits of
 * containers). The groups are looked up now, their limits on each call.
 */
export function linuxMemory(readFile: ReadFile): () => number {
  const groups = controlGroups(readFile("/proc/self/cgroup") ?? "")
    .filter(({ version, folder }) => readFile(`${folder}/${version.limit}`) !== undefined);
  return () => groups.reduce((left, group) => Math.min(left, leftInGroup(group, left, readFile)), left(readFile));
}

/** The address space that the process uses, in bytes. */
export function addressSpaceInUse(readFile: ReadFile): number {
  return kilobytes(readFile("/proc/self/status"), /^VmSize:\s+(\d+) kB$/m) ?? 0;
}

/** The kernel's own estimate for the machine: reclaimable page cache counts as available, swap does not. */
function left(readFile: ReadFile): number {
  return kilobytes(readFile("/proc/meminfo"), /^MemAvailable:\s+(\d+) kB$/m) ?? Infinity;
}

function kilobytes(text: string | undefined, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits) * 1024;
}

/** The files of one version of the kernel's control groups. The page cache includes that of child groups. */
interface Version {
  readonly root: string;
  readonly limit: string;
  readonly usage: string;
  readonly pageCache: RegExp;
}

const VERSION_1: Version = {
  root: "/sys/fs/cgroup/memory",
  limit: "memory.limit_in_bytes",
  usage: "memory.usage_in_bytes",
  pageCache: /^total_(?:in)?active_file (\d+)$/gm,
};

const VERSION_2: Version = {
  root: "/sys/fs/cgroup",
  limit: "memory.max",
  usage: "memory.current",
  pageCache: /^(?:in)?active_file (\d+)$/gm,
};

interface ControlGroup {
  readonly version: Version;
  readonly folder: string;
}

/** The groups named in /proc/self/cgroup, each with its ancestors: any of them may have a limit. */
function controlGroups(text: string): ControlGroup[] {
  return [...text.matchAll(/^\d+:([^:\n]*):(\/.*)$/gm)].flatMap(([, controllers = "", path = ""]) => {
    const version = versionOf(controllers);
    return version ? lineage(path).map((ancestor) => ({ version, folder: version.root + ancestor })) : [];
  });
}

function versionOf(controllers: string): Version | undefined {
  if (controllers === "") return VERSION_2;
  return controllers.split(",").includes("memory") ? VERSION_1 : undefined;
}

/**
 * The path and its ancestors: `/a/b` gives `/a/b`, `/a` and the root. In a container the path may be that of the host,
 * or lead out of what is mounted (`/../b`). Then only the root exists, which is the container's own group.
 */
function lineage(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  if (names.includes("..")) return [""];
  return [...names.keys(), names.length].map((depth) => names.slice(0, depth).map((name) => `/${name}`).join(""));
}

/**
 * The bytes left in a group. If it has more than `enough`, returns any number above that, to avoid reading its
 * statistics.
 */
function leftInGroup({ version, folder }: ControlGroup, enough: number, readFile: ReadFile): number {
  const limit = bytes(readFile(`${folder}/${version.limit}`));
  if (limit === undefined) return Infinity;
  const unused = limit - (bytes(readFile(`${folder}/${version.usage}`)) ?? 0);
  if (unused >= enough) return unused;
  // The usage of a group includes the page cache of its processes, which the kernel drops before it kills a process.
  const counts = (readFile(`${folder}/memory.stat`) ?? "").matchAll(version.pageCache);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), unused);
}

/** A number of a control group; `undefined` for no limit, which is "max" or, in version 1, a number close to 2⁶³. */
function bytes(text = ""): number | undefined {
  const figure = /^\d+\s*$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(figure) ? figure : undefined;
}
