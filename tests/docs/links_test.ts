/** Checks links between pages, and that pages named in the sources exist. */
import { assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pages, ROOT } from "./pages.ts";

/** Folders whose sources name pages. */
const SOURCES = ["bench/", "cli/", "examples/", "ffi/", "hardware/", "serve/", "src/", "support/", "tests/"];

const allPages = [...pages(), new URL("CHANGELOG.md", ROOT)];
const shortName = (url: URL) => url.href.slice(ROOT.href.length);

/** The anchors that GitHub creates for a page's headings. */
function anchors(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, "");
  return Array.from(
    prose.matchAll(/^#+ (.+)$/gm),
    ([, title]) => title!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"),
  );
}

/** The relative links of a page whose file or heading does not exist. */
function brokenLinks(page: URL, text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, "");
  return Array.from(prose.matchAll(/\]\(([^):\s]*)\)/g), ([, link]) => link!).filter((link) => {
    const target = new URL(link, page);
    const anchor = target.hash.slice(1);
    target.hash = "";
    if (!existsSync(target)) return true;
    return anchor !== "" && !anchors(target.href === page.href ? text : Deno.readTextFileSync(target)).includes(anchor);
  });
}

/** The pages that a source names but that do not exist. */
function missingPages(source: string): string[] {
  // A name after a slash is part of a URL.
  return Array.from(source.matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md/g), ([name]) => name)
    .filter((name) => !existsSync(new URL(name, ROOT)));
}

function* sources(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const entry = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory && name !== "node_modules" && name !== "suite") yield* sources(entry);
    if (name.endsWith(".ts")) yield entry;
  }
}

for (const page of allPages) {
  Deno.test(`the targets of the links in ${shortName(page)} exist`, () => {
    assertEquals(brokenLinks(page, Deno.readTextFileSync(page)), []);
  });
}

Deno.test("all pages named in sources exist", () => {
  const wrong = SOURCES.flatMap((folder) => Array.from(sources(new URL(folder, ROOT))))
    .filter((source) => source.href !== import.meta.url)
    .flatMap((source) =>
      missingPages(Deno.readTextFileSync(source)).map((name) => `${fileURLToPath(source)}: ${name}`)
    );
  assertEquals(wrong, []);
});

Deno.test("links to missing files and headings are reported", () => {
  const page = new URL("docs/cache.md", ROOT);
  const text = "# A page: `x`\n[a](./cache.md) [b](./none.md) [c](#a-page-x) [d](#none) [e](https://example.org/)\n";
  assertEquals(brokenLinks(page, text), ["./none.md", "#none"]);
  assertEquals(missingPages("See docs/cache.md, docs/none.md, and https://example.org/docs/none.md."), [
    "docs/none.md",
  ]);
});
