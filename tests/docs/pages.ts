/**
 * Finds the blocks of code in the documentation, and reads their info strings.
 *
 * A block of `ts` or `sh` runs as it is written. A word after the language says where it runs, or why it does not run:
 * "```sh network: pip downloads 98 MB".
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** The reasons for which a block does not run in the test. The page adds details. */
export const REASONS = {
  network: "downloads from elsewhere than npm, or a lot",
  mac: "needs a Mac",
  gpu: "needs a GPU",
  docker: "needs Docker",
  data: "needs weights that are not in the repository",
  server: "runs until it is stopped",
  long: "takes minutes",
  python: "is Python",
  part: "is a part of a program",
} as const;

/** Languages of blocks that are not programs: output, or the contents of a file. */
const SHOWN = ["text", "json"];

/** A block of code in a page. */
export interface Block {
  /** The page, relative to the repository's root, and the line of the block's fence. */
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** Whether it runs in a checkout instead of an empty folder. */
  readonly inCheckout: boolean;
  /** The reason if it does not run. */
  readonly skipped?: string;
}

/** The pages whose blocks are tested, sorted by name. */
export function pages(): URL[] {
  const found = ["README.md", "CONTRIBUTING.md", "cli/README.md", "serve/README.md"].map((page) => new URL(page, ROOT));
  const collect = (folder: URL) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) collect(new URL(`${name}/`, folder));
      else if (name.endsWith(".md")) found.push(new URL(name, folder));
    }
  };
  collect(new URL("docs/", ROOT));
  return found.sort((a, b) => (a.href < b.href ? -1 : 1));
}

/** The blocks of a page, except output and files. Throws for an invalid info string. */
export function blocksOf(page: URL, text: string = Deno.readTextFileSync(page)): Block[] {
  const name = relative(fileURLToPath(ROOT), fileURLToPath(page)).replaceAll("\\", "/");
  const found: Block[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const [, indent, info] = /^(\s*)```(.*)$/.exec(lines[i]!) ?? [];
    if (info === undefined) continue;
    const line = i + 1;
    const body: string[] = [];
    for (i++; i < lines.length && lines[i]!.trim() !== "```"; i++) body.push(lines[i]!.slice(indent!.length));
    const block = readInfo(info, `${name}:${line}`);
    if (block !== undefined) found.push({ page: name, line, text: body.join("\n") + "\n", ...block });
  }
  return found;
}

/** Reads `LANGUAGE`, `LANGUAGE checkout` or `LANGUAGE REASON: details`. */
function readInfo(info: string, where: string): Pick<Block, "language" | "inCheckout" | "skipped"> | undefined {
  // In Markdown, such a line is not a fence, so a formatter would reflow the block.
  if (info.includes("`")) throw new Error(`${where}: an info string cannot contain a backtick: ${info}`);
  const [, language = "", word, details] = /^(\w*)(?: (\w+)(?:: (.+))?)?$/.exec(info) ?? [];
  if (SHOWN.includes(language) && word === undefined) return undefined;
  if (word !== undefined && word in REASONS && details !== undefined) {
    return { language, inCheckout: false, skipped: `${REASONS[word as keyof typeof REASONS]}: ${details}` };
  }
  const runs = language === "ts" || language === "sh";
  if (runs && word === undefined) return { language, inCheckout: false };
  if (runs && word === "checkout" && details === undefined) return { language, inCheckout: true };
  const known = Object.keys(REASONS).join(", ");
  throw new Error(
    `${where}: "${info}" must be ts or sh, which run (in a checkout after "checkout"), ${SHOWN.join(" or ")}, or a ` +
      `language with a reason and details, such as "sh network: pip downloads 98 MB"; the reasons are ${known}`,
  );
}
