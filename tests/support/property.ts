/**
 * Compares an operator with the reference on random arguments. WEBNN_TEST_SEED sets the seed.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { DATA_TYPES } from "../../src/data_type.ts";
import type { OperatorName } from "../../src/ops/operators.ts";
import { evaluate, type RefTensor } from "../reference/mod.ts";
import { sharedContext } from "./builder.ts";
import { type Random, random } from "../../support/random.ts";
import { runOperator } from "./run_operator.ts";
import { difference } from "./tolerance.ts";

/** The seed of all random arguments. */
export const SEED = Number(Deno.env.get("WEBNN_TEST_SEED") ?? 20260626);

const MAX_RANK = 6;
const CASES = 3;

/** The arguments of one call. */
export interface Arguments {
  readonly operands: Readonly<Record<string, RefTensor | readonly RefTensor[]>>;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** Valid arguments with the given data type and rank of the first operand; `undefined` if there are none. */
export type Generate = (next: Random, dataType: MLOperandDataType, rank: number) => Arguments | undefined;

/** A random shape with few elements, so that the reference is fast. */
export function randomShape(next: Random, rank: number): number[] {
  return Array.from({ length: rank }, () => next.integer(1, rank > 3 ? 3 : 5));
}

/** Registers a test of the operator on random arguments, for all data types and ranks 0 to 6. */
export function testProperty(name: OperatorName, generate: Generate): void {
  Deno.test(`${name} agrees with the reference on random arguments, seed ${SEED}`, async () => {
    const context = await sharedContext();
    const next = random(SEED);
    for (const dataType of DATA_TYPES) {
      for (let i = 0; i < CASES * (MAX_RANK + 1); i++) {
        const args = generate(next, dataType, i % (MAX_RANK + 1));
        if (args === undefined) continue;
        const expected = evaluate(name, args.operands, args.attributes);
        const actual = await runOperator(context, name, args.operands, args.attributes);
        const failures = expected.map((output, j) => difference(name, actual[j]!, output));
        assertEquals(failures.filter((text) => text !== undefined), [], describe(args));
      }
    }
  });
}

function describe({ operands, attributes }: Arguments): string {
  const text = (_: string, value: unknown) => typeof value === "bigint" ? `${value}n` : value;
  return JSON.stringify({ seed: SEED, operands, attributes }, text);
}
