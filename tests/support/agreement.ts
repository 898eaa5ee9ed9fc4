/**
 * Compares one operator with the reference.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { OperatorName } from "../../src/ops/operators.ts";
import { evaluate, type RefDataType, type RefTensor } from "../reference/mod.ts";
import { sharedContext } from "./builder.ts";
import { type Domain, operandValues, PLAIN } from "./operand_values.ts";
import { runOperator } from "./run_operator.ts";
import { difference } from "./tolerance.ts";

type Operands = Readonly<Record<string, RefTensor>>;

/** Tensors of these shapes by name, with seeded values. */
export function valuesOf(
  dataType: RefDataType,
  shapes: Readonly<Record<string, readonly number[]>>,
  seed = 1,
  domain: Domain = PLAIN,
): Record<string, RefTensor> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, operandValues(dataType, shape, domain, 100 * seed + i)]),
  );
}

/** Asserts that the engine agrees with the reference. The operands named in `constants` are constants. */
export async function assertAgrees(
  name: OperatorName,
  operands: Operands,
  attributes: Readonly<Record<string, unknown>> = {},
  constants: readonly string[] = [],
): Promise<void> {
  const expected = evaluate(name, operands, attributes);
  const actual = await runOperator(await sharedContext(), name, operands, attributes, constants);
  const shapes = Object.entries(operands).map(([name, { dataType, shape }]) => `${name}: ${dataType} [${shape}]`);
  const call = `${name} of ${shapes.join(", ")}, ${Deno.inspect(attributes)}, constants ${constants}`;
  assertEquals(actual.length, expected.length, call);
  expected.forEach((output, i) => assertEquals(difference(name, actual[i]!, output), undefined, call));
}
