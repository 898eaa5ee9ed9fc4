/** Tests of types, which fail in `deno check`. */

import { assertEquals } from "@std/assert";
import { MLGraphBuilder, type MLOpSupportLimits, type MLTensorLimits } from "../../mod.ts";
import { lowerings } from "../../src/backends/onnxruntime/lower.ts";
import type { AttributesOf } from "../../src/ops/operator.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";

/** Whether a type is `unknown` or `any`, or a list of those. */
type IsLoose<T> = unknown extends T ? true
  : T extends readonly (infer Item)[] ? unknown extends Item ? true : false
  : false;

type LooseMembers<Name extends OperatorName, Attributes = AttributesOf<(typeof operators)[Name]>> = unknown extends
  Attributes ? Name
  : { [Key in keyof Attributes]: true extends IsLoose<Attributes[Key]> ? `${Name}.${Key & string}` : never }[
    keyof Attributes
  ];

/** The attributes that are `unknown` or `any`. */
type LooseAttributes = { [Name in OperatorName]: LooseMembers<Name> }[OperatorName];

/** The builder's methods for operators. */
type Methods = Exclude<keyof MLGraphBuilder, "build" | "constant" | "input">;

function isAssignable<_To, _From extends _To>(): void {}

Deno.test("no attribute of a row is unknown or any", () => {
  isAssignable<never, LooseAttributes>();
  // @ts-expect-error -- IsLoose detects loose types
  isAssignable<never, true extends IsLoose<readonly unknown[]> ? "loose" : never>();
});

Deno.test("the builder has a method for each row, and no others", () => {
  isAssignable<Methods, OperatorName>();
  isAssignable<OperatorName, Methods>();
  const others = ["constructor", "build", "constant", "input"];
  const methods = Object.getOwnPropertyNames(MLGraphBuilder.prototype).filter((name) => !others.includes(name));
  assertEquals(methods.sort(), Object.keys(operators).sort());
  for (const [name, row] of Object.entries(operators)) assertEquals(row.name, name);
});

/** The limits of an operator in `opSupportLimits()`: of all operands and outputs. */
type LimitsOf<Row extends { operands: object; outputs: object }> = Record<
  keyof Row["operands"] | keyof Row["outputs"],
  MLTensorLimits
>;

/** The rows whose limits are missing or different in the dictionary. */
type WrongLimits<Dictionary> = {
  [Name in OperatorName]: Name extends keyof Dictionary
    ? Same<Dictionary[Name], LimitsOf<(typeof operators)[Name]>> extends true ? never : Name
    : Name;
}[OperatorName];

type Same<A, B> = [A, B] extends [B, A] ? true : false;

/** The members of the dictionary that are not operators. */
type OtherLimits = "constant" | "input" | "maxTensorByteLength" | "output" | "preferredInputLayout";

Deno.test("MLOpSupportLimits has every row, with its operands and outputs, and nothing else", () => {
  isAssignable<never, WrongLimits<MLOpSupportLimits>>();
  isAssignable<OperatorName | OtherLimits, keyof MLOpSupportLimits>();
  isAssignable<WrongLimits<Omit<MLOpSupportLimits, "add">>, "add">();
  isAssignable<WrongLimits<Omit<MLOpSupportLimits, "abs"> & { abs: MLOpSupportLimits["add"] }>, "abs">();
  isAssignable<WrongLimits<Omit<MLOpSupportLimits, "gemm"> & { gemm: MLOpSupportLimits["add"] }>, "gemm">();
});

Deno.test("a missing lowering does not compile", () => {
  const { add: _, ...incomplete } = lowerings;
  // @ts-expect-error -- the lowering of add is missing
  incomplete satisfies typeof lowerings;
  assertEquals(Object.keys(lowerings).sort(), Object.keys(operators).sort());
});
