/**
 * The MIL operations of each operator. They are found by lowering every operator in all ranks, with inputs and with
 * constants as operands.
 *
 * @module
 */

import { createMLContext } from "../../src/api/ml_context.ts";
import { COREML_LIMITS } from "../../src/backends/coreml/limits.ts";
import type { MilProgram } from "../../src/backends/coreml/mil.ts";
import type { MLOperandDataType } from "../../src/data_type.ts";
import { operatorLimits } from "../../src/ops/limits.ts";
import type { AnyOperator } from "../../src/ops/operator.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";
import { evaluate } from "../reference/mod.ts";
import { sampleOperands, SAMPLES } from "../support/operator_samples.ts";
import { runOperator } from "../support/run_operator.ts";
import { openInterpretedDevice } from "./interpreted_device.ts";
import { areSupported, RANKS, type Types } from "./sample_operands.ts";

/** One line per operator: its operations for floats, and for integers. */
export async function mappingTable(): Promise<string> {
  const rows: string[] = [];
  for (const name of Object.keys(operators).sort() as OperatorName[]) {
    const floats = await operationsOf(name, ["float32"]);
    const integers = await operationsOf(name, ["int32", "uint8"]);
    rows.push(`| ${name} | ${floats} | ${integers} |`);
  }
  return ["| WebNN | MIL, floats | MIL, integers |", "| --- | --- | --- |", ...rows, ""].join("\n");
}

/** The operations for the data types that the operator supports, in order of first occurrence. */
async function operationsOf(name: OperatorName, candidates: readonly MLOperandDataType[]): Promise<string> {
  const choices = candidates.map((type) => chooseTypes(operators[name], type)).filter((types) => types !== undefined);
  if (choices.length === 0) return "–";
  const versions = [8, 9] as const;
  const programs = await Promise.all(
    choices.flatMap((types) => versions.map((version) => programsOf(name, types, version))),
  );
  const operations = programs.flat().flatMap((program) => program.operations)
    // A program without inputs starts with an operation on its placeholder, which does not belong to the operator.
    .filter((operation) => !operation.name.startsWith("placeholder_"))
    .map((operation) => `\`${operation.type}\``);
  return [...new Set(operations)].join(", ");
}

async function programsOf(
  name: OperatorName,
  types: Types,
  specificationVersion: 8 | 9,
): Promise<readonly MilProgram[]> {
  const device = openInterpretedDevice({ specificationVersion, float16: false });
  const context = createMLContext(device);
  for (const sample of RANKS.flatMap((rank) => SAMPLES[name]!(rank))) {
    const operands = sampleOperands(sample, types);
    if (!areSupported(evaluate(name, operands, sample.attributes))) continue;
    for (const constants of [[], Object.keys(operands).slice(1), Object.keys(operands)]) {
      await runOperator(context, name, operands, sample.attributes, constants);
    }
  }
  context.destroy();
  return device.programs;
}

/** `type` for each operand that supports it, otherwise the first data type that the operand supports. */
function chooseTypes(row: AnyOperator, type: MLOperandDataType): Types | undefined {
  const limits = Object.entries(operatorLimits(row, COREML_LIMITS)).filter(([name]) => name in row.operands);
  const [, { dataTypes }] = limits.find(([, { dataTypes }]) => dataTypes.length > 1) ?? limits[0]!;
  if (!dataTypes.includes(type)) return undefined;
  return Object.fromEntries(limits.map(([name, { dataTypes }]) => {
    const rule = row.operands[name]!.types;
    return [name, "sameAs" in rule || dataTypes.includes(type) ? type : dataTypes[0]!];
  }));
}
