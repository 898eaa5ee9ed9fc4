/**
 * Constants whose type the context does not support.
 */
import { assertEquals } from "@std/assert";
import type { MLOpSupportLimits } from "@webnn/deno";
import { asOperandType } from "../../src/onnx/constants.ts";
import { elementsOf, knownTensor } from "../../src/onnx/value.ts";

/** Limits of a context whose widest integers are int32. */
const LIMITS = { constant: { dataTypes: ["float32", "int32", "uint8"] } } as unknown as MLOpSupportLimits;

Deno.test("integers beyond the range of the type that replaces theirs are clamped, not wrapped", () => {
  const converted = (
    type: "int64" | "uint64" | "uint32",
    elements: (number | bigint)[],
  ) => [...elementsOf(asOperandType(knownTensor(type, [elements.length], elements), LIMITS))];
  assertEquals(converted("int64", [-(2n ** 63n), -5n, 2n ** 63n - 1n]), [-(2 ** 31), -5, 2 ** 31 - 1]);
  assertEquals(converted("uint64", [0n, 2n ** 64n - 1n]), [0, 2 ** 31 - 1]);
  assertEquals(converted("uint32", [7, 2 ** 31, 2 ** 32 - 1]), [7, 2 ** 31 - 1, 2 ** 31 - 1]);
});
