/**
 * `deno task docs:operators` writes docs/operators.md: the table of operators from their rows and the limits of the CPU,
 * and what they become on Core ML.
 *
 * @module
 */

import { LIMITS } from "../../src/backends/onnxruntime/limits.ts";
import { DATA_TYPES } from "../../src/data_type.ts";
import type { MLTensorLimits } from "../../src/graph/limits.ts";
import { operatorLimits } from "../../src/ops/limits.ts";
import type { AnyOperator, OperandRule, TensorRule } from "../../src/ops/operator.ts";
import { operators } from "../../src/ops/operators.ts";
import { mappingTable } from "../coreml/mapping_table.ts";
import { runProgram, writeFile } from "../../support/program.ts";

/** Where the page lies. */
export const OPERATOR_DOCS: URL = new URL("../../docs/operators.md", import.meta.url);

/** Why the CPU refuses data types that a row allows, by `operator.operand`; a refusal without a reason is an error. */
const REFUSALS: Readonly<Record<string, string>> = {};

const INTRODUCTION = `# Operators

What \`MLGraphBuilder\` offers on the CPU, and what each operator becomes on Core ML. This page is generated from the rows
in \`src/ops/\`, the limits of ONNX Runtime's CPU provider and the lowerings by \`deno task docs:operators\`; do not edit it.

- **any** is ${
  DATA_TYPES.join(", ")
}; **float** is float32 and float16; *as a* is the very data type of the operand *a*.
- A rank is that of the operand; *that of a* must be the rank of *a* too. Where the standard sets no limit, it is
  ${LIMITS.maxRank}.
- An operand with a question mark is a member of the options. Every operator also takes \`label\`.
- No tensor may have more than ${LIMITS.maxTensorByteLength} bytes.
`;

/** What the standard leaves open, or what the engine does otherwise; each line is covered by a test. */
const NOTES = `## What the standard leaves open

- Integers wrap, also in reductions. An integer divided by 0 is itself; that does not end the process.
- Powers of integers wrap for exponents below 128, for 8-bit types and even bases for all. A negative exponent truncates: 0
  for all bases but 1 and -1.
- Floats that the target type of \`cast\` cannot hold give any integer.
- \`min\`, \`max\`, \`reduceMin\` and \`reduceMax\` give NaN if an element is NaN. Which of 0 and -0 wins is open.
- Of several updates of one place, \`scatterND\` and \`scatterElements\` keep the last, in every run.
- \`sign\` of NaN is 0.
- \`elu\`, \`gelu\`, \`hardSigmoid\`, \`hardSwish\` and \`linear\` are computed as sums: where the terms cancel, the error is a few
  units in the last place of the terms, not of the small result. \`sigmoid\` is exact to 2 units everywhere; the gates of
  \`gru\`, \`gruCell\` and \`lstm\`, and the factor of \`x · sigmoid(x)\`, to 1e-7.
`;

const CORE_ML = `## On Core ML

The operations of MIL that each operator is lowered to, in all ranks, with inputs and with constants for operands: the list
has every operation that occurs, not all of which occur together. Constants are not listed. An operator that does not take
such a type has a dash. Integers are int32, or else uint8; besides, dequantizeLinear of 8 and 4 bits becomes
\`dequantize\`, \`constexpr_affine_dequantize\` or \`constexpr_blockwise_shift_scale\` where its operands allow it.
`;

/** The text of the page. */
export async function operatorDocs(): Promise<string> {
  const rows = (Object.values(operators) as AnyOperator[]).toSorted((a, b) => a.name < b.name ? -1 : 1);
  const lines = rows.map((row) => {
    const cells = [
      `[${row.name}](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-${row.name.toLowerCase()})`,
      describeTensors(row, row.operands),
      describeArguments(row),
      describeTensors(row, row.outputs),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const head = ["| Operator | Operands | Parameters and options | Outputs |", "| --- | --- | --- | --- |"];
  const table = [...head, ...lines, ""].join("\n");
  return [INTRODUCTION, table, describeRefusals(rows), NOTES, CORE_ML, await mappingTable()].join("\n");
}

function describeTensors(row: AnyOperator, rules: Readonly<Record<string, TensorRule | OperandRule>>): string {
  const limits = operatorLimits(row, LIMITS);
  return Object.entries(rules).map(([name, rule]) => {
    const kind = "kind" in rule ? rule.kind : "one";
    const mark = kind === "optional" ? "?" : kind === "list" ? "[]" : "";
    return `${name}${mark}: ${describeTypes(rule, limits[name]!)}, ${describeRank(rule, limits[name]!)}`;
  }).join("<br>");
}

function describeTypes(rule: TensorRule, { dataTypes }: MLTensorLimits): string {
  if ("sameAs" in rule.types) return `as ${rule.types.sameAs}`;
  if (dataTypes.join() === DATA_TYPES.join()) return "any";
  return dataTypes.join(", ").replace("float32, float16", "float");
}

function describeRank(rule: TensorRule, { rankRange: { min, max } }: MLTensorLimits): string {
  const range = min === max ? `rank ${min}` : `rank ${min} to ${max}`;
  return rule.rankAs === undefined ? range : `${range}, that of ${rule.rankAs}`;
}

/** Parameters, then options with their defaults; `?` marks options without one. */
function describeArguments({ parameters, options }: AnyOperator): string {
  return [
    ...Object.keys(parameters),
    ...Object.entries(options).map(([name, { presence, fallback }]) =>
      presence === "defaulted" ? `${name} = ${fallback!()}` : `${name}?`
    ),
  ].join(", ");
}

/** What a row allows and the CPU does not. */
function describeRefusals(rows: readonly AnyOperator[]): string {
  const refused = rows.flatMap((row) => {
    const limits = operatorLimits(row, LIMITS);
    const allowed = operatorLimits(row, { ...LIMITS, supports: () => true });
    return Object.keys(allowed).flatMap((name) => {
      const key = `${row.name}.${name}`;
      const types = allowed[name]!.dataTypes.filter((type) => !limits[name]!.dataTypes.includes(type));
      if (types.length === 0) return [];
      if (REFUSALS[key] === undefined) throw new Error(`${key} refuses ${types.join(", ")} without a reason`);
      return [`- \`${key}\`: ${types.join(", ")}. ${REFUSALS[key]}`];
    });
  });
  const list = refused.length === 0 ? ["No data type that the standard allows."] : refused;
  return ["## What is refused", "", ...list, ""].join("\n");
}

const HELP = `Writes docs/operators.md anew.

Usage: deno task docs:operators`;

if (import.meta.main) {
  await runProgram("docs:operators", HELP, {}, async () => await writeFile(OPERATOR_DOCS, await operatorDocs()));
}
