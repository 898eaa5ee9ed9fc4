/**
 * Compares every operator as an ML Program with the reference: for every data type within Core ML's limits, ranks 0 to
 * 5, with inputs and constants as operands. WPT's cases cover only a small part of these.
 */

import { assert, assertEquals } from "@std/assert";
import { createMLContext } from "../../src/api/ml_context.ts";
import { COREML_LIMITS } from "../../src/backends/coreml/limits.ts";
import type { MLOperandDataType } from "../../src/data_type.ts";
import { operatorLimits } from "../../src/ops/limits.ts";
import type { AnyOperator } from "../../src/ops/operator.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";
import { evaluate, type RefTensor } from "../reference/mod.ts";
import { operandValues, PLAIN } from "../support/operand_values.ts";
import { type Sample, SAMPLES } from "../support/operator_samples.ts";
import { runOperator } from "../support/run_operator.ts";
import { difference } from "../support/tolerance.ts";
import { openInterpretedDevice } from "./interpreted_device.ts";

const RANKS = [0, 1, 2, 3, 4, 5];

/** The data types of operands, by name. */
type Types = Readonly<Record<string, MLOperandDataType>>;

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

function operandsOf(sample: Sample, types: Types): Record<string, RefTensor | RefTensor[]> {
  return Object.fromEntries(
    Object.entries(sample.shapes).map(([name, shape], i) => {
      const values = (shape: readonly number[], seed: number) =>
        operandValues(types[name]!, shape, sample.domains?.[name] ?? PLAIN, seed);
      return [name, isList(shape) ? shape.map((item, j) => values(item, 100 * i + j)) : values(shape, 100 * i)];
    }),
  );
}

function isList(shape: Sample["shapes"][string]): shape is readonly (readonly number[])[] {
  return Array.isArray(shape[0]);
}

/** Whether Core ML supports all outputs. */
function isPossible(outputs: readonly RefTensor[]): boolean {
  return outputs.every(({ dataType, shape }) =>
    COREML_LIMITS.dataTypes.includes(dataType) && shape.length <= COREML_LIMITS.maxRank
  );
}

for (const [name, row] of Object.entries(operators) as [OperatorName, AnyOperator][]) {
  Deno.test(`${name} as an ML Program agrees with the reference for all data types and ranks`, async () => {
    const context = createMLContext(openInterpretedDevice({ specificationVersion: 9, float16: false }));
    const failures: string[] = [];
    let count = 0;
    for (const types of typeCombinations(row)) {
      for (const sample of RANKS.flatMap((rank) => SAMPLES[name]!(rank))) {
        const operands = operandsOf(sample, types);
        const expected = evaluate(name, operands, sample.attributes);
        if (!isPossible(expected)) continue;
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
