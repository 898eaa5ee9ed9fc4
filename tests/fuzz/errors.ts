/**
 * Computes how much two computations of the same graph by the same engine may differ, element by element.
 *
 * In both computations, each operator's result may differ from the exact result for its operands by an allowance
 * (tolerance.ts). The reference propagates the errors of the operands:
 * - data movement moves the errors like the elements;
 * - if each result depends on one element of each operand, the reference is evaluated with all operands increased and
 *   decreased by twice their errors;
 * - sums of products grow from f(|x|) to at most f(|x| + error), because then no coefficient is negative;
 * - the error of a maximum or a norm is at most the maximum or the norm of the errors;
 * - the others (softmax, normalisations, recurrent networks) are evaluated with one element changed at a time, and the
 *   changes are added, which is right to first order.
 * If a jump is possible within the error, or more than a quarter of the value is uncertain, the error is infinite: the
 * element is not compared.
 *
 * @module
 */

import type { OperatorName } from "../../src/ops/operators.ts";
import { evaluate, isFloat, type RefDataType, type RefTensor, sizeOf, tensor } from "../reference/mod.ts";
import { allowance, unitInLastPlace } from "../support/tolerance.ts";

/** A value of one run, and for each element how much another run may differ. */
export interface Uncertain {
  readonly tensor: RefTensor;
  readonly errors: readonly number[];
}

type Operands = Readonly<Record<string, Uncertain | readonly Uncertain[]>>;
type Attributes = Readonly<Record<string, unknown>>;

/** Operators that move elements, with the operands that control where to. */
const MOVEMENT: Partial<Record<OperatorName, readonly string[]>> = {
  concat: [],
  expand: [],
  gather: ["indices"],
  gatherElements: ["indices"],
  gatherND: ["indices"],
  identity: [],
  neg: [],
  pad: [],
  reshape: [],
  reverse: [],
  scatterElements: ["indices"],
  scatterND: ["indices"],
  slice: [],
  split: [],
  tile: [],
  transpose: [],
  triangular: [],
  where: ["condition"],
};

/** Sums of products. */
const SUMS: ReadonlySet<string> = new Set([
  "averagePool2d",
  "conv2d",
  "convTranspose2d",
  "cumulativeSum",
  "gemm",
  "matmul",
  "reduceL1",
  "reduceMean",
  "reduceProduct",
  "reduceSum",
  "reduceSumSquare",
  "resample2d",
]);

/** Maxima and norms, with the operator that bounds their error when it is applied to errors. */
const NORMS: Partial<Record<OperatorName, OperatorName>> = {
  l2Pool2d: "l2Pool2d",
  maxPool2d: "maxPool2d",
  reduceL2: "reduceL2",
  reduceLogSumExp: "reduceMax",
  reduceMax: "reduceMax",
  reduceMin: "reduceMax",
};

/** Operators with results that depend on many elements in other ways. */
const ENTANGLED: ReadonlySet<string> = new Set([
  "gru",
  "gruCell",
  "instanceNormalization",
  "layerNormalization",
  "lstm",
  "lstmCell",
  "reduceLogSum",
  "softmax",
]);

/** The most elements of an entangled operator that are changed, one at a time. */
const MAX_MOVES = 40;

/** The errors of a call's outputs. `outputs` are the reference's values. */
export function propagate(
  operator: OperatorName,
  operands: Operands,
  attributes: Attributes,
  outputs: readonly RefTensor[],
): number[][] {
  const carried = carry(operator, operands, attributes, outputs);
  return outputs.map((output, i) =>
    output.data.map((element, j) => {
      const own = isFloat(output.dataType) ? 2 * allowance(operator, output, j) : 0;
      const error = carried[i]![j]! + own;
      return error === 0 || error <= (1 + Math.abs(Number(element))) / 4 ? error : Infinity;
    })
  );
}

/** The errors of the results that are caused by the errors of the operands. */
function carry(
  operator: OperatorName,
  operands: Operands,
  attributes: Attributes,
  outputs: readonly RefTensor[],
): number[][] {
  const everywhere = (error: number) => outputs.map(({ data }) => data.map(() => error));
  // The quotient is rounded to a float first, which may move it past a tie.
  if (operator === "quantizeLinear") return pointwise(operator, withRoundedInput(operands), attributes, outputs[0]!);
  const all = Object.values(operands).flat();
  if (all.every(isExact)) return everywhere(0);
  if (operator === "argMin" || operator === "argMax") return everywhere(Infinity);
  const selectors = MOVEMENT[operator];
  if (selectors) {
    const isSelected = selectors.every((name) => isExact(operands[name] as Uncertain));
    return isSelected ? moveErrors(operator, operands, selectors, attributes) : everywhere(Infinity);
  }
  const isNearest = operator === "resample2d" && attributes.mode === "nearest-neighbor";
  const norm = isNearest ? operator : NORMS[operator];
  if (norm) return moveErrors(norm, operands, [], attributes);
  const isSum = SUMS.has(operator);
  if (!isSum && !ENTANGLED.has(operator)) return pointwise(operator, operands, attributes, outputs[0]!);
  if (!all.every(({ errors }) => errors.every(Number.isFinite))) return everywhere(Infinity);
  return isSum
    ? growth(operator, operands, attributes)
    : oneByOne(operator, operands, attributes) ?? everywhere(Infinity);
}

/** The operands of quantizeLinear, where the error of the input is at least that of a rounding. */
function withRoundedInput(operands: Operands): Operands {
  const { tensor, errors } = operands.input as Uncertain;
  const rounding = (x: number) => isFloat(tensor.dataType) ? unitInLastPlace(tensor.dataType, x) : 0;
  return {
    ...operands,
    input: { tensor, errors: errors.map((e, i) => Math.max(e, rounding(Number(tensor.data[i])))) },
  };
}

function isExact({ errors }: Uncertain): boolean {
  return errors.every((error) => error === 0);
}

function mapOperands(operands: Operands, map: (operand: Uncertain, name: string) => RefTensor) {
  return Object.fromEntries(
    Object.entries(operands).map(([name, operand]) => [
      name,
      "tensor" in operand ? map(operand, name) : operand.map((item) => map(item, name)),
    ]),
  );
}

/** A changed tensor. float16 becomes float32, so that small changes are not lost by rounding. */
function widened(
  { tensor: { dataType, shape, data } }: Uncertain,
  change: (x: number, i: number) => number,
): RefTensor {
  if (!isFloat(dataType)) return { dataType, shape, data };
  return tensor("float32", shape, data.map((x, i) => change(Number(x), i)));
}

function numbers(outputs: readonly RefTensor[]): number[][] {
  return outputs.map(({ data }) => data.map(Number));
}

/** The operator applied to the errors themselves. */
function moveErrors(
  operator: OperatorName,
  operands: Operands,
  selectors: readonly string[],
  { value: _, ...attributes }: Attributes,
): number[][] {
  const errors = mapOperands(operands, (operand, name) => {
    if (selectors.includes(name)) return operand.tensor;
    return tensor("float32", operand.tensor.shape, operand.errors.map(roundUp));
  });
  return numbers(evaluate(operator, errors, attributes)).map((output) => output.map(Math.abs));
}

function roundUp(error: number): number {
  return error === 0 ? 0 : error * (1 + 2 ** -22) + 2 ** -149;
}

/** f(|x| + 2 · error) - f(|x|), plus the rounding error of the difference. */
function growth(operator: OperatorName, operands: Operands, attributes: Attributes): number[][] {
  const absolute = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      name === "alpha" || name === "beta" ? Math.abs(value as number) : value,
    ]),
  );
  const at = (factor: number) =>
    numbers(evaluate(
      operator,
      mapOperands(operands, (operand) => widened(operand, (x, i) => Math.abs(x) + factor * operand.errors[i]!)),
      absolute,
    ));
  const [base, grown] = [at(0), at(2)];
  return grown.map((output, i) => output.map((value, j) => value - base[i]![j]! + unitInLastPlace("float32", value)));
}

/** The sum of the changes that each element causes alone; `undefined` if there are too many elements. */
function oneByOne(operator: OperatorName, operands: Operands, attributes: Attributes): number[][] | undefined {
  const moves = Object.entries(operands).flatMap(([name, operand]) =>
    (operand as Uncertain).errors.flatMap((error, i) => error > 0 ? [{ name, i, error }] : [])
  );
  if (moves.length > MAX_MOVES) return undefined;
  const at = (name: string, i: number, shift: number) =>
    numbers(evaluate(
      operator,
      mapOperands(operands, (operand, key) => widened(operand, (x, j) => key === name && i === j ? x + shift : x)),
      attributes,
    ));
  const base = at("", 0, 0);
  const total = base.map((output) => output.map(() => 0));
  for (const { name, i, error } of moves) {
    const ends = [at(name, i, 2 * error), at(name, i, -2 * error)];
    total.forEach((output, o) => {
      output.forEach((_, j) => {
        const value = base[o]![j]!;
        output[j]! += Math.max(...ends.map((end) => Math.abs(end[o]![j]! - value))) + unitInLastPlace("float32", value);
      });
    });
  }
  return total;
}

/** The largest change if each operand is increased or decreased by its error. */
function pointwise(operator: OperatorName, operands: Operands, attributes: Attributes, output: RefTensor): number[][] {
  const moving = Object.entries(operands).filter(([, operand]) => !isExact(operand as Uncertain)).map(([name]) => name);
  const unbounded = unboundedResults(operator, operands, output);
  const at = (operator: string, sign: (name: string) => number) => {
    const moved = mapOperands(
      operands,
      (operand, name) =>
        widened(operand, (x, i) => Number.isFinite(operand.errors[i]) ? x + 2 * sign(name) * operand.errors[i]! : x),
    );
    return evaluate(operator, moved, attributes)[0]!;
  };
  // Equality may change if the order of two numbers may change.
  const probes = operator === "equal" || operator === "notEqual" ? ["greater", "lesser"] : [operator];
  const changes = probes.flatMap((probe) => {
    const base = at(probe, () => 0);
    return signs(moving).map((sign) => at(probe, sign).data.map((x, i) => changeOf(base, Number(x), i)));
  });
  return [output.data.map((_, i) => unbounded[i] ? Infinity : Math.max(...changes.map((change) => change[i]!)))];
}

/** The change of an element; infinite if it may be a jump. */
function changeOf({ dataType, data }: RefTensor, x: number, i: number): number {
  const base = Number(data[i]);
  if (!isFloat(dataType)) return x === base ? 0 : Infinity;
  if (Object.is(x, base)) return Number.isFinite(base) ? unitInLastPlace("float32", base) : 0;
  const change = Math.abs(x - base);
  return Number.isNaN(change) ? Infinity : change + unitInLastPlace("float32", base);
}

/** All combinations of signs for the operands. */
function signs(names: readonly string[]): ((name: string) => number)[] {
  return Array.from(
    { length: 2 ** names.length },
    (_, choice) => (name: string) => choice >> names.indexOf(name) & 1 ? 1 : -1,
  );
}

/** Which results depend on an element with an infinite error. */
function unboundedResults(operator: OperatorName, operands: Operands, output: RefTensor): boolean[] {
  const unbounded = Object.values(operands).flat().filter(({ errors }) => errors.includes(Infinity));
  if (unbounded.length === 0) return output.data.map(() => false);
  if (["batchNormalization", "dequantizeLinear", "quantizeLinear"].includes(operator)) {
    return output.data.map(() => true);
  }
  const zeros = tensor("float32", output.shape, Array.from({ length: sizeOf(output.shape) }, () => 0));
  const spread = unbounded.reduce<RefTensor>((sum, { tensor: { shape }, errors }) => {
    const b: RefTensor = { dataType: "float32" as RefDataType, shape, data: errors };
    return evaluate("add", { a: sum, b })[0]!;
  }, zeros);
  return spread.data.map((error) => error === Infinity);
}
