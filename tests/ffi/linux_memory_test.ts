/** The available memory by samples of the kernel's files: of a machine, of containers, and of a broken system. */
import { assertEquals } from "@std/assert";
import { addressSpaceInUse, linuxMemory } from "../../ffi/linux_memory.ts";

const MB = 2 ** 20;
const GB = 2 ** 30;

const MEMINFO = `MemTotal:       ${16 * GB / 1024} kB
MemFree:         1204280 kB
MemAvailable:   ${8 * GB / 1024} kB
Buffers:          123456 kB
SwapFree:       99999999 kB
`;

const MACHINE = { "/proc/meminfo": MEMINFO };
const V1 = "/sys/fs/cgroup/memory";
const V2 = "/sys/fs/cgroup";
const NO_LIMIT_V1 = "9223372036854771712\n";

function left(files: Record<string, string>): number {
  return linuxMemory((path) => files[path])();
}

/** The files of a control group, version 2. */
function v2(folder: string, limit: string | number, usage = 0, inactive = 0, active = 0): Record<string, string> {
  return {
    [`${V2}${folder}/memory.max`]: `${limit}\n`,
    [`${V2}${folder}/memory.current`]: `${usage}\n`,
    [`${V2}${folder}/memory.stat`]:
      `anon ${usage}\nfile 77\ninactive_anon 5\nactive_anon 6\ninactive_file ${inactive}\nactive_file ${active}\nslab 9\n`,
  };
}

/** The files of a control group, version 1. The figures without `total_` do not include the group's children. */
function v1(folder: string, limit: string | number, usage = 0, inactive = 0, active = 0): Record<string, string> {
  return {
    [`${V1}${folder}/memory.limit_in_bytes`]: `${limit}\n`,
    [`${V1}${folder}/memory.usage_in_bytes`]: `${usage}\n`,
    [`${V1}${folder}/memory.stat`]:
      `cache 8\ninactive_file 111\nactive_file 222\ntotal_cache 9\ntotal_inactive_file ${inactive}\ntotal_active_file ${active}\n`,
  };
}

Deno.test("without control groups, it is the machine's available memory", () => {
  assertEquals(left(MACHINE), 8 * GB);
  assertEquals(left({ ...MACHINE, "/proc/self/cgroup": "0::/\n" }), 8 * GB);
});

Deno.test("version 2: a container sees its own group as the root", () => {
  const files = { ...MACHINE, "/proc/self/cgroup": "0::/\n", ...v2("", 2 * GB, 512 * MB) };
  assertEquals(left(files), 1.5 * GB);
});

Deno.test("version 2: the page cache of a group is available", () => {
  const files = { ...MACHINE, "/proc/self/cgroup": "0::/\n", ...v2("", 2 * GB, 2 * GB, 300 * MB, 200 * MB) };
  assertEquals(left(files), 500 * MB);
});

Deno.test("version 2: the smallest limit of a group and its ancestors applies", () => {
  const cgroup = { "/proc/self/cgroup": "0::/user.slice/a:b/app\n" };
  const loose = { ...MACHINE, ...cgroup, ...v2("/user.slice/a:b/app", "max", GB), ...v2("/user.slice", 32 * GB) };
  assertEquals(left(loose), 8 * GB);
  assertEquals(left({ ...loose, ...v2("/user.slice/a:b", 3 * GB, GB) }), 2 * GB);
  assertEquals(left({ ...loose, ...v2("/user.slice/a:b", 3 * GB, GB), ...v2("/user.slice", 4 * GB, 3 * GB) }), GB);
  assertEquals(left({ ...loose, ...v2("/other", MB) }), 8 * GB);
});

Deno.test("version 2: for a path of the host, or outside of the mount, the limit of the root applies", () => {
  const container = { ...MACHINE, ...v2("", GB) };
  assertEquals(left({ ...container, "/proc/self/cgroup": "0::/docker/0123abcd\n" }), GB);
  assertEquals(left({ ...container, "/proc/self/cgroup": "0::/../other\n" }), GB);
});

Deno.test("version 1: a group, its ancestors, and no limit", () => {
  const cgroup = { "/proc/self/cgroup": "12:cpu,cpuacct:/x\n4:hugetlb,memory:/docker/abc\n1:name=systemd:/y\n" };
  const unlimited = { ...MACHINE, ...cgroup, ...v1("", NO_LIMIT_V1, GB), ...v1("/docker/abc", NO_LIMIT_V1, GB) };
  assertEquals(left(unlimited), 8 * GB);
  assertEquals(left({ ...unlimited, ...v1("/docker/abc", 2 * GB, 2 * GB, 30 * MB, 20 * MB) }), 50 * MB);
  assertEquals(left({ ...unlimited, ...v1("/docker", GB, 256 * MB) }), 768 * MB);
});

Deno.test("with both versions, memory is in version 1", () => {
  const cgroup = { "/proc/self/cgroup": "4:memory:/app\n0::/app\n" };
  assertEquals(left({ ...MACHINE, ...cgroup, ...v1("/app", GB, 512 * MB) }), 512 * MB);
});

Deno.test("limits and use are read each time, the list of groups once", () => {
  const files: Record<string, string> = { ...MACHINE, "/proc/self/cgroup": "0::/app\n", ...v2("/app", "max", 0) };
  const opened: string[] = [];
  const memory = linuxMemory((path) => (opened.push(path), files[path]));
  assertEquals(memory(), 8 * GB);
  Object.assign(files, v2("/app", GB, 0));
  assertEquals(memory(), GB);
  Object.assign(files, v2("/app", GB, 2 * GB));
  assertEquals(memory(), -GB);
  assertEquals(opened.filter((path) => path === "/proc/self/cgroup").length, 1);
  assertEquals(opened.filter((path) => path.endsWith("memory.stat")).length, 2);
});

Deno.test("files that cannot be read or parsed mean no limit", () => {
  assertEquals(left({}), Infinity);
  assertEquals(left({ "/proc/meminfo": "MemTotal: 5 kB\nMemAvailable: many kB\n" }), Infinity);
  assertEquals(left({ ...MACHINE, "/proc/self/cgroup": "garbage\n\n:::\n0::\n" }), 8 * GB);
  assertEquals(left({ ...MACHINE, "/proc/self/cgroup": "0::/\n", [`${V2}/memory.max`]: "" }), 8 * GB);
  const limitOnly = { ...MACHINE, "/proc/self/cgroup": "0::/\n", [`${V2}/memory.max`]: `${GB}` };
  assertEquals(left(limitOnly), GB);
  assertEquals(left({ ...limitOnly, [`${V2}/memory.current`]: "?" }), GB);
});

Deno.test("the address space in use is read from the process's status", () => {
  const status = "Name:\tVmSize: 1 kB\nVmPeak:\t  999 kB\nVmSize:\t   123 kB\nVmRSS:\t 5 kB\n";
  assertEquals(addressSpaceInUse((path) => path === "/proc/self/status" ? status : undefined), 123 * 1024);
  assertEquals(addressSpaceInUse(() => undefined), 0);
});
