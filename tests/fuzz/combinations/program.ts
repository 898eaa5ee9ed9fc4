/**
 * Random programs of formulas.
 *
 * @module
 */

import { type Random, random } from "../../../support/random.ts";
import { type Program, resultsOf } from "../programs.ts";
import { IMAGES } from "./images.ts";
import { MOVES } from "./moves.ts";
import { NARROW } from "./narrow.ts";
import { type Formula, NORMS } from "./norms.ts";
import { DeadEnd, type Id, Pen, smallShape } from "./pen.ts";
import { QUANTIZED } from "./quantized.ts";

const FAMILIES: readonly (readonly Formula[])[] = [NORMS, NORMS, MOVES, QUANTIZED, IMAGES, NARROW];

/** A random program of one to three formulas, with some of its intermediate values among the outputs. */
export function combinationProgram(seed: number): Program {
  const next = random(seed);
  for (;;) {
    try {
      return draw(next);
    } catch (error) {
      if (!(error instanceof DeadEnd)) throw error;
    }
  }
}

function draw(next: Random): Program {
  const pen = new Pen(next, next() < 0.85 ? "float32" : "float16");
  const shape = next() < 0.2 ? next.pick([[], [1], [1, 1], [1, 1, 1, 1]]) : smallShape(next, next.integer(1, 4));
  let x = pen.leaf(shape);
  for (let count = next.pick([1, 1, 2, 3]); count > 0; count--) {
    // Not every result can be the input of the next formula.
    const result = next.pick(next.pick(FAMILIES))(pen, x);
    x = isUsable(pen, result) ? result : pen.leaf(shape);
  }
  if (pen.steps.length === 0) throw new DeadEnd("nothing to compute");
  const program = { leaves: pen.leaves, steps: pen.steps };
  return { ...program, outputs: outputsOf(next, program) };
}

function isUsable(pen: Pen, id: Id): boolean {
  const { dataType, data } = pen.tensor(id);
  return dataType === pen.dataType && data.every((x) => Math.abs(Number(x)) < 1000);
}

/** The results that no step uses, and sometimes intermediate values. */
function outputsOf(next: Random, program: Program): number[] {
  const results = new Set(resultsOf(program));
  const share = next() < 0.3 ? 0.25 : 0;
  return program.steps.flatMap(({ outputs }) => outputs).filter((id) => results.has(id) || next() < share);
}
