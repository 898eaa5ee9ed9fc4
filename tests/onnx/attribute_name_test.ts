/**
 * The type of attribute names. The checks are those of the type checker: a directive that expects an error is one
 * itself if there is none.
 */
import { assertEquals } from "@std/assert";
import type { AttributeName } from "../../src/onnx/attribute_name.ts";
import type { NodeView } from "../../src/onnx/node.ts";

Deno.test("a row that reads a misspelt attribute does not type-check", () => {
  const read = (node: NodeView) => [
    node.int("axis"),
    // @ts-expect-error: the name is misspelt
    node.int("axs"),
  ];
  const names: AttributeName[] = ["activation", "K", "k", "value_ints"];
  assertEquals([read.length, names.length], [1, 4]);
});
