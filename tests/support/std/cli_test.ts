import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli";

Deno.test("parseArgs reads strings, switches, aliases and positional arguments", () => {
  const args = parseArgs(["a.jpg", "--model=mobilenetv2", "--verbose", "b.png", "-h", "--", "--c"], {
    string: ["model", "library", "_"],
    boolean: ["help", "verbose", "quiet"],
    alias: { help: "h" },
  });
  const model: string | undefined = args.model;
  const files: string[] = args._;
  assertEquals(model, "mobilenetv2");
  assertEquals(args.library, undefined);
  assertEquals([args.help, args.verbose, args.quiet], [true, true, false]);
  assertEquals(files, ["a.jpg", "b.png", "--c"]);
  assertEquals((args as Record<string, unknown>).h, true);
});

Deno.test("parseArgs leaves the text of strings alone and turns other numerals into numbers", () => {
  const args = parseArgs(["--name", "007", "--count", "12", "-x=0x1f", "3.5", "--empty"], {
    string: ["name", "empty"],
    default: { count: 1, size: 2 },
  });
  assertEquals<unknown>(args, { name: "007", count: 12, x: 31, size: 2, empty: "", _: [3.5] });
});

Deno.test("parseArgs never takes an option for a value", () => {
  const args = parseArgs(["--model", "--verbose", "--level", "-q"], { string: "model", boolean: ["verbose", "q"] });
  assertEquals<unknown>(args, { model: "", verbose: true, level: true, q: true, _: [] });
});

Deno.test("parseArgs collects, negates, and keeps what follows --", () => {
  const args = parseArgs(["--provider", "cuda", "--provider=cpu", "--no-cache", "--", "run", "--fast"], {
    string: "provider",
    boolean: "cache",
    collect: ["provider", "header"],
    negatable: "cache",
    default: { cache: true },
    "--": true,
  });
  const providers: string[] = args.provider;
  assertEquals(providers, ["cuda", "cpu"]);
  assertEquals<unknown>(args, { provider: ["cuda", "cpu"], header: [], cache: false, _: [], "--": ["run", "--fast"] });
});

Deno.test("parseArgs drops the unknown that the callback refuses", () => {
  const seen: unknown[] = [];
  const args = parseArgs(["file", "--modle", "x", "--model", "y", "-z"], {
    string: "model",
    unknown: (...call) => {
      seen.push(call);
      return false;
    },
  });
  assertEquals(seen, [["file"], ["--modle", "modle", "x"], ["-z", "z", true]]);
  assertEquals<unknown>(args, { model: "y", _: [] });
});
