/**
 * Tests of the configurations: the module's own, those of other folders (rooms), whose packages `deno task` does not
 * download in advance, and those of the other published packages.
 */
import { assertEquals } from "@std/assert";
import { existsSync } from "node:fs";

interface Configuration {
  readonly version?: string;
  readonly links?: readonly string[];
  readonly imports: Record<string, string>;
  readonly compilerOptions: Record<string, unknown>;
  readonly workspace?: unknown;
  readonly unstable?: readonly string[];
  readonly tasks?: Record<string, string>;
}

const ROOT = new URL("../", import.meta.url);
const ROOMS = ["bench", "examples", "hardware", "tests"];
const PACKAGES = ["cli", "serve"].filter((name) => existsSync(new URL(`${name}/deno.json`, ROOT)));

const read = (folder: string): Configuration => JSON.parse(Deno.readTextFileSync(new URL(`${folder}deno.json`, ROOT)));
const root = read("");
const rooms = ROOMS.map((room) => ({ room, ...read(`${room}/`) }));
const packages = PACKAGES.map((room) => ({ room, ...read(`${room}/`) }));

Deno.test("the root's configuration names no package, because deno task would download it before it runs anything", () => {
  assertEquals(Object.values(root.imports).filter((target) => !target.startsWith("./")), []);
  assertEquals(root.workspace, undefined);
});

Deno.test("rooms and packages have the compiler options of the module", () => {
  const { types: _, ...expected } = root.compilerOptions;
  for (const { room, compilerOptions } of [...rooms, ...packages]) {
    const { types, ...others } = compilerOptions;
    assertEquals([others, types], [expected, ["../globals.d.ts"]], room);
  }
});

Deno.test("packages import this version of the module from JSR, and link to the checkout for development", () => {
  for (const { room, imports, links, version } of packages) {
    assertEquals([version, links?.[0]], [root.version, ".."], room);
    for (const [name, target] of Object.entries(imports)) {
      const [, path] = /^@webnn\/\w+(.*)$/.exec(name) ?? [];
      if (path === undefined) continue;
      assertEquals(
        target,
        `jsr:${name.slice(0, name.length - path.length)}@^${root.version}${path}`,
        `${room}: ${name}`,
      );
    }
  }
});

Deno.test("rooms map the module to its sources", () => {
  for (const { room, imports } of rooms) {
    for (const [name, path] of Object.entries(root.imports)) {
      assertEquals(imports[name], path.replace("./", "../"), room);
    }
  }
});

Deno.test("rooms download a package when a program imports it, not all packages in the lock file", () => {
  for (const { room, unstable } of [...rooms, ...packages]) assertEquals(unstable, ["npm-lazy-caching"], room);
});

Deno.test("a package has one version in all rooms", () => {
  const versions = new Map<string, string>();
  for (const { room, imports } of [...rooms, ...packages]) {
    for (const [name, target] of Object.entries(imports)) {
      // Packages import from JSR what rooms map to sources.
      if (target.startsWith("jsr:")) continue;
      assertEquals(target, versions.get(name) ?? target, `${name} in ${room}/deno.json`);
      versions.set(name, target);
    }
  }
});

Deno.test("every task uses the configuration of its program's room", () => {
  const parts =
    /^(?:\w+=\S+ )?deno (?:run|bench) --config=(\w+)\/deno\.json .*?\b((?:bench|cli|examples|hardware|tests)\/\S*)/;
  for (const [name, command] of Object.entries(root.tasks!)) {
    const [, room, program] = parts.exec(command) ?? [];
    assertEquals(program?.split("/")[0], room ?? "no room", `${name}: ${command}`);
  }
});
