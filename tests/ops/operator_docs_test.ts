import { assertEquals } from "@std/assert";
import { OPERATOR_DOCS, operatorDocs } from "../support/write_operator_docs.ts";

Deno.test("docs/operators.md is up to date (deno task docs:operators)", async () => {
  assertEquals(await Deno.readTextFile(OPERATOR_DOCS), await operatorDocs());
});
