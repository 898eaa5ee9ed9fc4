/**
 * Writes the leaves and calls of a program, and varies its formulas.
 *
 * @module
 */

import type { OperatorName } from "../../../src/ops/operators.ts";
import { broadcast } from "../../../src/shape.ts";
import { evaluate, isFloat, type RefDataType, type RefTensor, sizeOf, tensor } from "../../reference/mod.ts";
import { type Domain, operandValues } from "../../support/operand_values.ts";
import type { Random } from "../../../support/random.ts";
import { type Leaf, mapOperands, type Step } from "../programs.ts";

/** The id of a value. */
export type Id = number;
/** The data types of formulas. */
export type FloatType = "float32" | "float16";

type Shape = readonly number[];
type Attributes = Readonly<Record<string, unknown>>;
type Operands = Readonly<Record<string, Id | readonly Id[]>>;

/** Thrown if a formula leads to an invalid or too large program, which is then given up. */
export class DeadEnd extends Error {}

/** The most elements of a tensor, which limits the time of the reference. */
const MAX_ELEMENTS = 400;
const MAX_RANK = 8;

/**
 * The shapes of a number in a formula: [], [1], as many 1 as the other operand has dimensions, [1, 1, 1, 1], or larger.
 */
const NUMBER_STYLES = ["scalar", "scalar", "one", "one", "ones", "four", "last", "full"] as const;
type NumberStyle = typeof NUMBER_STYLES[number];

const MODERATE: Domain = { float: [-3, 3] };

/** Writes a program. */
export class Pen {
  readonly leaves: Leaf[] = [];
  readonly steps: Step[] = [];
  readonly #tensors = new Map<Id, RefTensor>();
  /** The probability of the usual form. It is high, because programs with one change find more than those with many. */
  readonly #fidelity: number;
  /** The preferred shape of the program's numbers, if any. */
  readonly #style: NumberStyle | undefined;

  constructor(readonly next: Random, readonly dataType: FloatType) {
    this.#fidelity = next.pick([0.75, 0.9, 0.97]);
    this.#style = next.pick([undefined, undefined, "scalar", "one", "ones", "four"]);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Whether to write the usual form at this point. */
  isUsual(): boolean {
    return this.chance(this.#fidelity);
  }

  /** The reference's value. Programs should depend only on its data type and shape. */
  tensor(id: Id): RefTensor {
    return this.#tensors.get(id)!;
  }

  shape(id: Id): Shape {
    return this.tensor(id).shape;
  }

  /** An input or a constant with these elements. */
  given(value: RefTensor, isConstant: boolean): Id {
    if (sizeOf(value.shape) > MAX_ELEMENTS) throw new DeadEnd(`[${value.shape}] is too large`);
    const id = this.#tensors.size;
    this.#tensors.set(id, value);
    this.leaves.push({ id, tensor: value, isConstant });
    return id;
  }

  /** A new random value; by default usually an input, sometimes a constant. */
  leaf(shape: Shape, { constants = 0.15, dataType = this.dataType as RefDataType, domain = MODERATE } = {}): Id {
    const value = operandValues(dataType, shape, domain, this.next.integer(0, 2 ** 32 - 1));
    return this.given(value, this.chance(constants));
  }

  /** A weight: usually a constant. */
  weight(shape: Shape, domain: Domain = { float: [-1, 1] }): Id {
    return this.leaf(shape, { constants: 0.8, domain });
  }

  /** Calls an operator with one output. */
  call(operator: OperatorName, operands: Operands, attributes: Attributes = {}): Id {
    return this.calls(operator, operands, attributes)[0]!;
  }

  /** Calls an operator. */
  calls(operator: OperatorName, operands: Operands, attributes: Attributes = {}): Id[] {
    const results = this.#evaluate(operator, operands, attributes);
    if (results.some(({ shape }) => sizeOf(shape) > MAX_ELEMENTS || shape.length > MAX_RANK)) {
      throw new DeadEnd(`the result of ${operator} is too large`);
    }
    const outputs = results.map((result) => {
      const id = this.#tensors.size;
      this.#tensors.set(id, result);
      return id;
    });
    this.steps.push({ operator, operands, attributes, outputs });
    return outputs;
  }

  #evaluate(operator: OperatorName, operands: Operands, attributes: Attributes): RefTensor[] {
    const { a, b } = operands;
    const isElementwise = operator !== "matmul" && operator !== "gemm";
    if (isElementwise && typeof a === "number" && typeof b === "number" && !broadcast(this.shape(a), this.shape(b))) {
      throw new DeadEnd(`${operator} of shapes that do not broadcast`);
    }
    try {
      return evaluate(operator, mapOperands(operands, (id) => this.tensor(id)), attributes);
    } catch (error) {
      throw new DeadEnd(`${operator}: ${error}`);
    }
  }

  /** Calls a unary operator. */
  unary(operator: OperatorName, input: Id, attributes: Attributes = {}): Id {
    return this.call(operator, { input }, attributes);
  }

  /** Calls a binary operator; if it commutes, with the operands in any order. */
  binary(operator: "add" | "mul" | "max" | "min" | "sub" | "div" | "pow", a: Id, b: Id): Id {
    const commutes = operator !== "sub" && operator !== "div" && operator !== "pow";
    return this.call(operator, commutes && this.chance(0.5) ? { a: b, b: a } : { a, b });
  }

  /** A difference or quotient, sometimes with swapped operands. */
  directed(operator: "sub" | "div", a: Id, b: Id): Id {
    return !this.isUsual() && this.chance(0.5) ? this.binary(operator, b, a) : this.binary(operator, a, b);
  }

  /** The right number or word of a formula, or sometimes a wrong one. */
  nearly<T>(right: T, ...wrong: readonly T[]): T {
    return this.isUsual() ? right : this.next.pick(wrong);
  }

  /** A number in a formula: a constant, an input or computed, with one of the shapes that broadcast. */
  number(value: number, like: Id): Id {
    const shape = this.#numberShape(this.shape(like));
    const { dataType } = this.tensor(like);
    const type = isFloat(dataType) ? dataType : this.dataType;
    const filled = (number: number, isConstant: boolean) =>
      this.given(tensor(type, shape, new Array(sizeOf(shape)).fill(number)), isConstant);
    if (this.isUsual()) return filled(value, true);
    return this.chance(0.4) ? filled(value, false) : this.#computed(value, filled, shape);
  }

  #numberShape(like: Shape): Shape {
    const ones = (rank: number): number[] => new Array(rank).fill(1);
    const style = this.#style && this.chance(0.85) ? this.#style : this.next.pick(NUMBER_STYLES);
    switch (style) {
      case "scalar":
        return [];
      case "one":
        return [1];
      case "ones":
        return ones(like.length);
      case "four":
        return ones(4);
      case "last":
        return like.slice(-1);
      case "full":
        return like;
    }
  }

  /** A number that the program computes from constants. */
  #computed(value: number, filled: (number: number, isConstant: boolean) => Id, shape: Shape): Id {
    switch (this.next.integer(0, 5)) {
      case 0:
        return this.unary("identity", filled(value, true));
      case 1:
        return this.unary("reshape", filled(value, true), { newShape: sizeOf(shape) > 1 ? shape : [...shape, 1] });
      case 2:
        return this.binary("add", filled(value / 2, true), filled(value / 2, true));
      case 3:
        return this.binary("mul", filled(value, true), filled(1, this.chance(0.5)));
      case 4:
        return value >= 0 ? this.unary("abs", filled(-value, true)) : this.unary("neg", filled(-value, true));
      default: {
        const number = filled(value, true);
        return this.unary("cast", number, { dataType: this.tensor(number).dataType });
      }
    }
  }

  /** The value, sometimes with operations that change nothing or almost nothing. */
  disguised(id: Id): Id {
    if (this.isUsual() || this.chance(0.5)) return id;
    const shape = this.shape(id);
    switch (this.next.integer(0, 7)) {
      case 0:
        return this.unary("identity", id);
      case 1:
        return this.unary("reshape", this.unary("reshape", id, { newShape: [sizeOf(shape)] }), { newShape: shape });
      case 2: {
        const permutation = shuffled(this.next, shape.length);
        const back = permutation.map((_, axis) => permutation.indexOf(axis));
        const moved = this.unary("transpose", id, { permutation });
        return this.unary("transpose", moved, { permutation: back });
      }
      case 3:
        return this.binary("mul", id, this.number(1, id));
      case 4:
        return this.binary("add", id, this.number(this.nearly(0, -0), id));
      case 5:
        return this.unary("slice", id, { starts: shape.map(() => 0), sizes: shape });
      case 6:
        return this.unary("neg", this.unary("neg", id));
      default: {
        const narrow = this.unary("cast", id, { dataType: "float16" });
        return this.unary("cast", narrow, { dataType: this.tensor(id).dataType });
      }
    }
  }
}

/** The axes in any order. */
export function shuffled(next: Random, rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => ({ axis, key: next() })).sort((a, b) => a.key - b.key)
    .map(({ axis }) => axis);
}

/** A small shape with this rank. Some dimensions are 1. */
export function smallShape(next: Random, rank: number): number[] {
  const max = [1, 12, 6, 4, 3, 2][rank] ?? 2;
  return Array.from({ length: rank }, () => next() < 0.2 ? 1 : next.integer(2, max));
}
