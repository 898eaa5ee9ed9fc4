/**
 * `deno run -A examples/chat/page/build.ts FILE.html`: writes the page as one file, to open in a browser with WebNN.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";
import { writeFile } from "../../../support/program.ts";

/** The packages that the program uses. Each is one file. */
const PACKAGES = ["@huggingface/jinja", "@huggingface/tokenizers"];

/** Bundles the page's program to a script that defines `chat`. */
export async function bundlePage(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [fileURLToPath(import.meta.resolve("./page.ts"))],
    alias: Object.fromEntries(PACKAGES.map((name) => [name, fileURLToPath(import.meta.resolve(name))])),
    bundle: true,
    write: false,
    format: "iife",
    globalName: "chat",
    target: "esnext",
  });
  await esbuild.stop();
  return outputFiles[0]!.text;
}

/** The page with its program inlined. */
export async function buildPage(): Promise<string> {
  const html = await Deno.readTextFile(new URL("index.html", import.meta.url));
  const script = (await bundlePage()).replaceAll("</script", "<\\/script");
  // A function, because `replace` would interpret $ patterns in a string.
  return html.replace("/* bundle */", () => script);
}

if (import.meta.main) {
  const [file] = Deno.args;
  if (file === undefined) throw new Error("pass the path of the file to write");
  await writeFile(file, await buildPage());
}
