/**
 * Compares every operator with the reference, for all data types that the CPU's `opSupportLimits()` claims, and for ranks
 * 0 to 8. So the limits promise nothing that the engine cannot do.
 */

import { assertEquals } from "@std/assert";
import type { MLOpSupportLimits } from "../../mod.ts";
import type { AnyOperator } from "../../src/ops/operator.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";
import { evaluate, type RefDataType } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { type Sample, sampleOperands, SAMPLES } from "../support/operator_samples.ts";
import { runOperator } from "../support/run_operator.ts";
import { difference } from "../support/tolerance.ts";

const RANKS = [0, 1, 2, 3, 4, 8];

/** The data types of operands by name. */
type Types = Readonly<Record<string, RefDataType>>;

/** All combinations of the data types that the limits allow for the operands. */
function typeCombinations(row: AnyOperator, limits: MLOpSupportLimits): Types[] {
  const operandLimits = (limits as unknown as Record<string, Record<string, { dataTypes: RefDataType[] }>>)[row.name]!;
  return Object.entries(row.operands).reduce<Types[]>(
    (combinations, [name, { types }]) =>
      combinations.flatMap((chosen) => {
        const { dataTypes } = operandLimits[name]!;
        const choice = "sameAs" in types ? dataTypes.filter((type) => type === chosen[types.sameAs]) : dataTypes;
        return choice.map((type) => ({ ...chosen, [name]: type }));
      }),
    [{}],
  );
}

/** The failure of a sample; `undefined` if there is none. */
async function failureOf(name: OperatorName, sample: Sample, types: Types): Promise<string | undefined> {
  const operands = sampleOperands(sample, types);
  try {
    const expected = evaluate(name, operands, sample.attributes);
    const actual = await runOperator(await sharedContext(), name, operands, sample.attributes);
    assertEquals(actual.length, expected.length);
    return expected.map((output, i) => difference(name, actual[i]!, output)).find((text) => text !== undefined);
  } catch (error) {
    return String(error);
  }
}

for (const [name, row] of Object.entries(operators) as [OperatorName, AnyOperator][]) {
  Deno.test(`${name} agrees with the reference for all data types and ranks`, async () => {
    const samples = SAMPLES[name];
    if (samples === undefined) throw new Error(`tests/support/operator_samples.ts has no sample of ${name}`);
    const limits = (await sharedContext()).opSupportLimits();
    const failures: string[] = [];
    let count = 0;
    for (const types of typeCombinations(row, limits)) {
      for (const sample of RANKS.flatMap((rank) => samples(rank))) {
        count++;
        const text = await failureOf(name, sample, types);
        if (text === undefined) continue;
        failures.push(`${Object.values(types)} ${JSON.stringify({ ...sample, domains: undefined })}: ${text}`);
      }
    }
    assertEquals(failures, []);
    assertEquals(count > 0, true, "no sample was run");
  });
}
