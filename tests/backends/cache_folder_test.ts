/** Which files of a cache are deleted, and when its folder is listed. */
import { assertEquals } from "@std/assert";
import { type CacheFile, chooseEvicted, limitSize } from "../../src/backends/common/cache_folder.ts";

const SUFFIXES = { entrySuffix: ".entry", workSuffix: ".work" };
const HOUR = 60 * 60 * 1000;

/** Files by name: their size, and their age in hours. */
function files(list: Readonly<Record<string, readonly [size: number, age: number]>>): CacheFile[] {
  return Object.entries(list).map(([name, [size, age]]) => ({ name, size, modified: Date.now() - age * HOUR }));
}

Deno.test("the least recently used entries are deleted until the rest is within the limit", () => {
  const list = files({ "a.entry": [40, 3], "b.entry": [40, 1], "c.entry": [40, 4], "d.entry": [20, 2] });
  assertEquals(chooseEvicted(list, SUFFIXES, 140), []);
  assertEquals(chooseEvicted(list, SUFFIXES, 100), ["c.entry"]);
  assertEquals(chooseEvicted(list, SUFFIXES, 99), ["a.entry", "c.entry"]);
});

Deno.test("the newest entry stays however large it is", () => {
  assertEquals(chooseEvicted(files({ "old.entry": [1, 2], "new.entry": [500, 0] }), SUFFIXES, 100), ["old.entry"]);
});

Deno.test("unfinished entries are deleted after a day; other files of any size stay", () => {
  const list = files({ "old.work": [1, 25], "young.work": [1, 23], "letter.txt": [1e6, 1e4] });
  assertEquals(chooseEvicted(list, SUFFIXES, 0), ["old.work"]);
});

Deno.test("the folder is listed after the first entry, then after each share of the limit that is written", async () => {
  let lists = 0;
  const removed: string[] = [];
  const eviction = limitSize({
    ...SUFFIXES,
    list() {
      lists++;
      if (lists === 2) throw new Error("gone");
      return files({ "a.entry": [2000, 1], "b.entry": [10, 0] });
    },
    remove: (name) => void removed.push(name),
  }, 1600);
  await eviction.wrote(1);
  assertEquals([lists, removed], [1, ["a.entry"]]);
  for (let i = 0; i < 100; i++) await eviction.wrote(1);
  assertEquals(lists, 1);
  await eviction.wrote(1);
  assertEquals(lists, 2);
});
