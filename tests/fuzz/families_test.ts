/**
 * Compares each operator on random arguments with the reference: shapes of ranks 0 to 6, all data types, all options.
 * WEBNN_FUZZ_SEED sets the seed.
 */

import { assert, assertEquals } from "@std/assert";
import { convolutions } from "../../src/ops/conv2d.ts";
import { elementwise } from "../../src/ops/elementwise.ts";
import { indexing } from "../../src/ops/indexing.ts";
import { products } from "../../src/ops/matmul.ts";
import { movement } from "../../src/ops/movement.ts";
import { normalizations } from "../../src/ops/normalization.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";
import { pools } from "../../src/ops/pool2d.ts";
import { quantizations } from "../../src/ops/quantization.ts";
import { recurrent } from "../../src/ops/recurrent.ts";
import { reductions } from "../../src/ops/reduction.ts";
import { resampling } from "../../src/ops/resample.ts";
import { sharedContext } from "../support/builder.ts";
import { checkProgram, newGraphTally } from "./graphs.ts";
import { randomCall, sourceOf, type Types, typesOf } from "./programs.ts";

const SEED = Number(Deno.env.get("WEBNN_FUZZ_SEED") ?? 20260626);
/** The smallest number of cases for each family, and for each operator. */
const FAMILY_CASES = 300;
const OPERATOR_CASES = 32;

const FAMILIES = {
  convolutions,
  elementwise,
  indexing,
  movement,
  normalizations,
  pools,
  products,
  quantizations,
  recurrent,
  reductions,
  resampling,
};

Deno.test("every operator belongs to a family", () => {
  const names = Object.values(FAMILIES).flatMap((rows) => Object.keys(rows));
  assertEquals(names.sort(), Object.keys(operators).sort());
});

/** The types of an operator, but with only one for its first operand: the `i`-th, in turn. */
function inTurn(types: Types, name: OperatorName, i: number): Types {
  const [operand] = Object.keys(operators[name].operands) as [string];
  const all = types[name][operand]!;
  return { ...types, [name]: { ...types[name], [operand]: [all[i % all.length]!] } };
}

for (const [family, rows] of Object.entries(FAMILIES)) {
  Deno.test(`${family} agree with the reference on random arguments, seed ${SEED}`, async () => {
    const context = await sharedContext();
    const types = typesOf(context);
    const names = Object.keys(rows) as OperatorName[];
    const cases = Math.max(OPERATOR_CASES, Math.ceil(FAMILY_CASES / names.length));
    const tally = newGraphTally();
    for (const name of names) {
      for (let i = 0; i < cases; i++) {
        const program = randomCall(SEED + i, inTurn(types, name, i), name);
        const text = await checkProgram(context, program, tally);
        assertEquals(text, undefined, `seed ${SEED}, ${name}, case ${i}\n${sourceOf(program)}`);
      }
    }
    assert(tally.graphs >= FAMILY_CASES);
    assert(tally.undefinedElements < tally.elements / 4, `${tally.undefinedElements} of ${tally.elements} left out`);
  });
}
