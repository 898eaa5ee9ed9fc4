/**
 * The memory left to a process on Linux, by what the kernel's files in /proc and /sys say.
 *
 * @module
 */

/** The text of one of the kernel's files; undefined if it cannot be read. */
export type ReadFile = (path: string) => string | undefined;

/**
 * A function that answers how many bytes the machine and the process's control groups (the limits of containers) have
 * left. The groups are looked up now, their limits at each call.
 */
export function linuxMemory(readFile: ReadFile): () => number {
  const groups = controlGroups(readFile("/proc/self/cgroup") ?? "")
    .filter(({ version, folder }) => readFile(`${folder}/${version.limit}`) !== undefined);
  return () => groups.reduce((left, group) => Math.min(left, leftInGroup(group, left, readFile)), left(readFile));
}

/** The address space in use by the process, in bytes. */
export function addressSpaceInUse(readFile: ReadFile): number {
  return kilobytes(readFile("/proc/self/status"), /^VmSize:\s+(\d+) kB$/m) ?? 0;
}

/** Page cache that can be reclaimed counts as available, swap does not: the kernel's own estimate for the machine. */
function left(readFile: ReadFile): number {
  return kilobytes(readFile("/proc/meminfo"), /^MemAvailable:\s+(\d+) kB$/m) ?? Infinity;
}

function kilobytes(text: string | undefined, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits) * 1024;
}

/** Where a version of the kernel's control groups keeps its figures; the page cache is that of the group's children too. */
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

/** The groups that /proc/self/cgroup names, each with its ancestors: every one of them may set a limit. */
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
 * `/a/b` gives `/a/b`, `/a` and the root. In a container the path can be the host's, or lead out of what is mounted
 * (`/../b`); then only the root exists, and it is the container's own group.
 */
function lineage(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  if (names.includes("..")) return [""];
  return [...names.keys(), names.length].map((depth) => names.slice(0, depth).map((name) => `/${name}`).join(""));
}

/** Bytes left in a group; or, to spare the costly read of its statistics, any figure above `enough` if it has more. */
function leftInGroup({ version, folder }: ControlGroup, enough: number, readFile: ReadFile): number {
  const limit = bytes(readFile(`${folder}/${version.limit}`));
  if (limit === undefined) return Infinity;
  const unused = limit - (bytes(readFile(`${folder}/${version.usage}`)) ?? 0);
  if (unused >= enough) return unused;
  // A group's usage counts the files that its processes have read. The kernel drops those before it ends a process.
  const counts = (readFile(`${folder}/memory.stat`) ?? "").matchAll(version.pageCache);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), unused);
}

/** A figure of a control group; undefined for no limit, which is "max" or, in version 1, some number close to 2^63. */
function bytes(text = ""): number | undefined {
  const figure = /^\d+\s*$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(figure) ? figure : undefined;
}
