/** Compares the rows with the standard's tables of tensor limits, and a context's limits with the required ones. */

import { assertEquals } from "@std/assert";
import { operators } from "../../src/ops/operators.ts";
import type { AnyOperator, TensorRule } from "../../src/ops/operator.ts";
import { sharedContext } from "../support/builder.ts";
import { testData, testWithData } from "../support/test_data.ts";

interface Range {
  readonly min: number;
  readonly max: number | null;
}

/** An operand in the file: what the standard allows, and the minimum that an implementation must support. */
interface SpecOperand {
  readonly allowed: {
    readonly dataTypes: readonly string[];
    readonly sameAs: string | null;
    readonly rankRange: Range;
    readonly rankSameAs: string | null;
  };
  readonly required: { readonly dataTypes: readonly string[]; readonly rankRange: Range };
}

type SpecLimits = Readonly<Record<string, Readonly<Record<string, SpecOperand>>>>;

/** Intended differences from the table: the rule of the row, with its reason. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  // In the table any data type, in the steps floating-point types; WPT follows the steps.
  "isNaN.a": "float16 float32, rank 0",
  "isInfinite.a": "float16 float32, rank 0",
  // In the steps and WPT, a scalar index into one dimension gives a scalar; the table does not allow that.
  "gather.output": "as input, rank 0",
  // The output has the shape of the input, which the table does not say.
  "scatterND.output": "as input, rank 1, that of input",
  // 4-bit types, as in WPT's tests of these types.
  "dequantizeLinear.input": "int32 int4 int8 uint32 uint4 uint8, rank 0",
  "quantizeLinear.zeroPoint": "int32 int4 int8 uint32 uint4 uint8, rank 0, that of input",
};

function describe(
  dataTypes: readonly string[] | undefined,
  sameAs: string | null,
  ranks: string,
  rankAs: string | null,
) {
  const types = sameAs === null ? dataTypes!.toSorted().join(" ") : `as ${sameAs}`;
  return `${types}, ${ranks}${rankAs === null ? "" : `, that of ${rankAs}`}`;
}

function rankText({ min, max }: { readonly min: number; readonly max?: number | null }): string {
  return max === undefined || max === null ? `rank ${min}` : `rank ${min} to ${max}`;
}

function describeRule({ types, ranks, rankAs }: TensorRule): string {
  return "sameAs" in types
    ? describe(undefined, types.sameAs, rankText(ranks), rankAs ?? null)
    : describe(types, null, rankText(ranks), rankAs ?? null);
}

async function readLimits(): Promise<SpecLimits> {
  return JSON.parse(await Deno.readTextFile(testData("spec/op_limits.json")));
}

testWithData(["spec/op_limits.json"], "the rows equal the standard's tables of limits", async () => {
  const rows: Record<string, string> = {};
  for (const row of Object.values(operators) as AnyOperator[]) {
    const rules: Record<string, TensorRule> = { ...row.operands, ...row.outputs };
    for (const [operand, rule] of Object.entries(rules)) rows[`${row.name}.${operand}`] = describeRule(rule);
  }
  const spec: Record<string, string> = {};
  for (const [name, operands] of Object.entries(await readLimits())) {
    for (const [operand, { allowed: { dataTypes, sameAs, rankRange, rankSameAs } }] of Object.entries(operands)) {
      spec[`${name}.${operand}`] = describe(dataTypes, sameAs, rankText(rankRange), rankSameAs);
    }
  }
  for (const key of Object.keys(DIFFERENCES)) {
    assertEquals(rows[key] === spec[key], false, `${key} does not differ any more; remove it from DIFFERENCES`);
  }
  assertEquals(sorted(rows), sorted({ ...spec, ...DIFFERENCES }));
});

testWithData(["spec/op_limits.json"], "the CPU supports what the standard requires", async () => {
  const limits = (await sharedContext()).opSupportLimits() as unknown as Readonly<
    Record<string, Readonly<Record<string, { dataTypes: string[]; rankRange: { min: number; max: number } }>>>
  >;
  for (const [name, operands] of Object.entries(await readLimits())) {
    for (const [operand, { required }] of Object.entries(operands)) {
      const { dataTypes, rankRange } = limits[name]![operand]!;
      const missing = required.dataTypes.filter((dataType) => !dataTypes.includes(dataType));
      assertEquals(missing, [], `${name}.${operand}`);
      const covers = rankRange.min <= required.rankRange.min && rankRange.max >= (required.rankRange.max ?? 0);
      assertEquals(covers, true, `${name}.${operand} must have the ranks ${rankText(required.rankRange)}`);
    }
  }
});

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => a < b ? -1 : 1);
}
