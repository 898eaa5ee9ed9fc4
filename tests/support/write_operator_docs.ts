/**
 * `deno task docs:operators` writes docs/operators.md: the operators with the limits of the CPU, and their Core ML
 * operations.
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

/** The location of the page. */
export const OPERATOR_DOCS: URL = new URL("../../docs/operators.md", import.meta.url);

/** Why the CPU does not support data types that a row allows, by `operator.operand`. A missing reason is an error. */
const REASONS: Readonly<Record<string, string>> = {};

const INTRODUCTION = `# Operators

The operators of \`MLGraphBuilder\` on the CPU, and their operations on Core ML. \`deno task docs:operators\` generates this
page from the rows in \`src/ops/\`, the limits of ONNX Runtime's CPU provider and the lowerings; do not edit it.

- **any** is ${DATA_TYPES.join(", ")}; **float** is float32 and float16; *as a* is the data type of the operand *a*.
- *rank 0 to 8, that of a*: any of these ranks, but the same as that of *a*. If the standard sets no limit, the highest
  rank is ${LIMITS.maxRank}.
- An operand with a question mark is a member of the options. Every operator also has the option \`label\`.
- A tensor may have at most ${LIMITS.maxTensorByteLength} bytes.
`;

/** Behaviour that the standard does not define, or where the engine differs. A test covers each line. */
const NOTES = `## What the standard leaves open

- Integers wrap, also in reductions. An integer divided by 0 gives that integer; the process does not crash.
- Powers of integers wrap if the exponent is below 128, the type has 8 bits, or the base is even. A negative exponent
  gives 0, except for the bases 1 and -1.
- \`cast\` of a float that does not fit the integer type gives an arbitrary integer.
- \`min\`, \`max\`, \`reduceMin\` and \`reduceMax\` give NaN if an element is NaN. Either of 0 and -0 may result.
- If several updates have the same index, \`scatterND\` and \`scatterElements\` always keep the last one.
- \`sign\` of NaN is 0.
- \`elu\`, \`gelu\`, \`hardSigmoid\`, \`hardSwish\` and \`linear\` are computed as sums: if the terms cancel, the error is a few
  units in the last place of the terms, not of the result. \`sigmoid\` is exact to 2 units everywhere; the gates of
  \`gru\`, \`gruCell\` and \`lstm\`, and the factor of \`x · sigmoid(x)\`, to 1e-7.
`;

const CORE_ML = `## On Core ML

The MIL operations of each operator, for all ranks, and for operands that are inputs or constants. Not all operations of a
list occur together. Constants are not listed. A dash means that the operator does not support the type. Integers are
int32, or else uint8. In addition, dequantizeLinear of 8 and 4 bits becomes
\`dequantize\`, \`constexpr_affine_dequantize\` or \`constexpr_blockwise_shift_scale\` if its operands allow it.
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
  return [INTRODUCTION, table, describeUnsupported(rows), NOTES, CORE_ML, await mappingTable()].join("\n");
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

/** Parameters, then options with their defaults; `?` marks options without a default. */
function describeArguments({ parameters, options }: AnyOperator): string {
  return [
    ...Object.keys(parameters),
    ...Object.entries(options).map(([name, { presence, fallback }]) =>
      presence === "defaulted" ? `${name} = ${fallback}` : `${name}?`
    ),
  ].join(", ");
}

/** The data types that a row allows and the CPU does not support. */
function describeUnsupported(rows: readonly AnyOperator[]): string {
  const refused = rows.flatMap((row) => {
    const limits = operatorLimits(row, LIMITS);
    const allowed = operatorLimits(row, { ...LIMITS, supports: () => true });
    return Object.keys(allowed).flatMap((name) => {
      const key = `${row.name}.${name}`;
      const types = allowed[name]!.dataTypes.filter((type) => !limits[name]!.dataTypes.includes(type));
      if (types.length === 0) return [];
      if (REASONS[key] === undefined) {
        throw new Error(`${key} does not support ${types.join(", ")}; add a reason to REASONS`);
      }
      return [`- \`${key}\`: ${types.join(", ")}. ${REASONS[key]}`];
    });
  });
  const list = refused.length === 0 ? ["No data type that the standard allows."] : refused;
  return ["## What is refused", "", ...list, ""].join("\n");
}

const HELP = `Writes docs/operators.md.

Usage: deno task docs:operators`;

if (import.meta.main) {
  await runProgram("docs:operators", HELP, {}, async () => await writeFile(OPERATOR_DOCS, await operatorDocs()));
}
