/**
 * Compares every operator as an ML Program with the reference: for every data type within Core ML's limits, ranks 0 to
 * 5, with inputs and constants as operands. WPT's cases cover only a small part of these.
 */

import { assert, assertEquals } from "@std/assert";
import { createMLContext } from "../../src/api/ml_context.ts";
import { COREML_LIMITS } from "../../src/backends/coreml/limits.ts";
import { operatorLimits } from "../../src/ops/limits.ts";
import type { AnyOperator } from "../../src/ops/operator.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";
import { evaluate } from "../reference/mod.ts";
import { sampleOperands, SAMPLES } from "../support/operator_samples.ts";
import { runOperator } from "../support/run_operator.ts";
import { difference } from "../support/tolerance.ts";
import { openInterpretedDevice } from "./interpreted_device.ts";
import { areSupported, RANKS, type Types } from "./sample_operands.ts";

/** All combinations of data types that the limits allow. */
function typeCombinations(row: AnyOperator): Types[] {
  const limits = operatorLimits(row, COREML_LIMITS);
  return Object.entries(row.operands).reduce<Types[]>(
    (combinations, [name, { types }]) =>
      combinations.flatMap((chosen) => {
        const { dataTypes } = limits[name]!;
        const choice = "sameAs" in types ? dataTypes.filter((type) => type === chosen[types.sameAs]) : dataTypes;
        return choice.map((type) => ({ ...chosen, [name]: type }));
      }),
    [{}],
  );
}

for (const [name, row] of Object.entries(operators) as [OperatorName, AnyOperator][]) {
  Deno.test(`${name} as an ML Program agrees with the reference for all data types and ranks`, async () => {
    const context = createMLContext(openInterpretedDevice({ specificationVersion: 9, float16: false }));
    const failures: string[] = [];
    let count = 0;
    for (const types of typeCombinations(row)) {
      for (const sample of RANKS.flatMap((rank) => SAMPLES[name]!(rank))) {
        const operands = sampleOperands(sample, types);
        const expected = evaluate(name, operands, sample.attributes);
        if (!areSupported(expected)) continue;
        for (const constants of [[], Object.keys(operands)]) {
          count++;
          const actual = await runOperator(context, name, operands, sample.attributes, constants);
          const text = expected.map((output, i) => difference(name, actual[i]!, output)).find((text) => text);
          if (text) failures.push(`${Object.values(types)} ${JSON.stringify(sample)}, constant ${constants}: ${text}`);
        }
      }
    }
    context.destroy();
    assertEquals(failures, []);
    assert(count > 0, "no sample was run");
  });
}
