import { assertEquals } from "@std/assert";
import { COREML_DOCS, coreMLDocs } from "./write_docs.ts";

Deno.test("docs/coreml.md is up to date (deno task docs:coreml)", async () => {
  const page = await Deno.readTextFile(COREML_DOCS);
  assertEquals(page, await coreMLDocs(page));
});
