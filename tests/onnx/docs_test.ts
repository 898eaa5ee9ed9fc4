import { assertEquals } from "@std/assert";
import { ONNX_DOCS, onnxDocs } from "../support/write_onnx_docs.ts";

Deno.test("docs/onnx-operators.md is up to date (deno task docs:onnx)", async () => {
  assertEquals(await Deno.readTextFile(ONNX_DOCS), onnxDocs());
});
