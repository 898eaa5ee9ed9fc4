/**
 * Matrix products: MatMul, Gemm, Einsum, and the fused operators of other runtimes.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { sizeOf } from "../value.ts";
import { calculate, cut, isFloat, pick, range } from "./calculation.ts";

/** NumPy's matrix product: a vector is a row on the left, a column on the right. */
export function product(node: NodeView, a: MLOperand, b: MLOperand): MLOperand {
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1];
  const left = isRow ? node.reshape(a, [1, ...a.shape]) : a;
  const right = isColumn ? node.reshape(b, [...b.shape, 1]) : b;
  const result = isFloat(a) ? node.builder.matmul(left, right) : integerProduct(node, left, right);
  const { shape } = result;
  if (!isRow && !isColumn) return result;
  return node.reshape(result, [
    ...shape.slice(0, -2),
    ...isRow ? [] : shape.slice(-2, -1),
    ...isColumn ? [] : shape.slice(-1),
  ]);
}

/** The maximum number of products for 32-bit and 64-bit integers, which WebNN's matmul does not support. */
const MAXIMUM_PRODUCTS = 2 ** 24;

function integerProduct(node: NodeView, a: MLOperand, b: MLOperand): MLOperand {
  const [rows, inner, columns] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const batch = Math.max(sizeOf(a.shape.slice(0, -2)), sizeOf(b.shape.slice(0, -2)));
  if (batch * rows * inner * columns > MAXIMUM_PRODUCTS) node.refuse(`a large matrix product of ${a.dataType}`);
  const left = node.reshape(a, [...a.shape, 1]);
  const right = node.reshape(b, [...b.shape.slice(0, -2), 1, inner, columns]);
  const products = node.builder.mul(left, right);
  return node.builder.reduceSum(products, { axes: [products.shape.length - 2] });
}

function matMul(node: NodeView): RowResult {
  return product(node, node.input(0), node.input(1));
}

function gemm(node: NodeView): RowResult {
  const [a, b, c] = [node.input(0), node.input(1), node.optional(2)];
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  const [aTranspose, bTranspose] = [node.flag("transA"), node.flag("transB")];
  if (isFloat(a)) return node.builder.gemm(a, b, { alpha, beta, aTranspose, bTranspose, ...c && { c } });
  const { mul, add } = calculate(node);
  if (!Number.isInteger(alpha) || !Number.isInteger(beta)) node.refuse(`fractional alpha or beta with ${a.dataType}`);
  const left = aTranspose ? node.transpose(a, [1, 0]) : a;
  const right = bTranspose ? node.transpose(b, [1, 0]) : b;
  const result = mul(integerProduct(node, left, right), alpha);
  return c ? add(result, mul(c, beta)) : result;
}

/** An operand with a letter for each axis. */
interface Lettered {
  readonly operand: MLOperand;
  readonly letters: readonly string[];
}

/** Multiplies operands two at a time, and sums over the letters that are not in the output. */
function einsum(node: NodeView): RowResult {
  const { terms, output } = parseEquation(node, node.string("equation").replaceAll(" ", ""));
  const operands = terms.map((letters, i) => diagonal(node, { operand: node.input(i), letters }));
  const rest = [...operands];
  let result = summed(node, rest.shift()!, [...output, ...rest.flatMap(({ letters }) => letters)]);
  while (rest.length > 0) {
    const next = rest.shift()!;
    const needed = [...output, ...rest.flatMap(({ letters }) => letters)];
    result = contract(node, result, summed(node, next, [...needed, ...result.letters]), needed);
  }
  const order = output.map((letter) => result.letters.indexOf(letter));
  return node.builder.transpose(result.operand, { permutation: order });
}

/** The letters of each operand and of the output. Greek capital letters replace an ellipsis, from the right. */
function parseEquation(node: NodeView, equation: string): { terms: string[][]; output: string[] } {
  const [left, right] = equation.split("->") as [string, string | undefined];
  const sources = left.split(",");
  if (sources.length !== node.inputs.length) {
    node.refuse(`${equation} has ${sources.length} operands, not ${node.inputs.length}`);
  }
  const hidden = sources.map((text, i) => node.shape(i).length - text.replace("...", "").length);
  const most = Math.max(0, ...sources.map((text, i) => text.includes("...") ? hidden[i]! : 0));
  const ellipsis = (count: number) => range(most - count, most).map((i) => `.${i}`);
  const letters = (text: string, count: number) => {
    const [before, after] = text.split("...") as [string, string | undefined];
    return after === undefined ? [...before] : [...before, ...ellipsis(count), ...after];
  };
  const terms = sources.map((text, i) => letters(text, hidden[i]!));
  for (const [i, term] of terms.entries()) {
    if (term.length !== node.shape(i).length) node.refuse(`${equation} does not match the rank of operand ${i}`);
  }
  return { terms, output: right === undefined ? implicitOutput(terms, ellipsis(most)) : letters(right, most) };
}

/** The output without an arrow: the ellipsis, then the letters that occur once, in alphabetical order. */
function implicitOutput(terms: readonly string[][], ellipsis: readonly string[]): string[] {
  const all = terms.flat().filter((letter) => !letter.startsWith("."));
  return [...ellipsis, ...all.filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter)).sort()];
}

/** A repeated letter selects the diagonal of its axes. */
function diagonal(node: NodeView, { operand, letters }: Lettered): Lettered {
  const second = letters.findIndex((letter, i) => letters.indexOf(letter) < i);
  if (second < 0) return { operand, letters };
  const first = letters.indexOf(letters[second]!);
  const others = letters.map((_, i) => i).filter((i) => i !== first && i !== second);
  const size = operand.shape[first]!;
  const moved = node.transpose(operand, [first, second, ...others]);
  const indices = node.constant("int32", [size, 2], range(0, 2 * size).map((i) => i >> 1));
  const next = node.builder.gatherND(moved, indices);
  return diagonal(node, { operand: next, letters: [letters[first]!, ...others.map((i) => letters[i]!)] });
}

/** Sums over the letters that nothing else needs. */
function summed(node: NodeView, { operand, letters }: Lettered, needed: readonly string[]): Lettered {
  const axes = range(0, letters.length).filter((i) => !needed.includes(letters[i]!));
  if (axes.length === 0) return { operand, letters };
  return { operand: node.builder.reduceSum(operand, { axes }), letters: letters.filter((_, i) => !axes.includes(i)) };
}

/** A matrix product: shared letters are batch axes if they are kept; otherwise, they are summed over. */
function contract(node: NodeView, a: Lettered, b: Lettered, needed: readonly string[]): Lettered {
  const sizes = new Map<string, number>();
  for (const { operand, letters } of [a, b]) {
    letters.forEach((letter, i) => sizes.set(letter, Math.max(sizes.get(letter) ?? 1, operand.shape[i]!)));
  }
  const both = a.letters.filter((letter) => b.letters.includes(letter));
  const [batch, inner] = [both.filter((x) => needed.includes(x)), both.filter((x) => !needed.includes(x))];
  const [left, right] = [a, b].map(({ letters }) => letters.filter((letter) => !both.includes(letter)));
  const count = (letters: readonly string[]) => letters.reduce((product, letter) => product * sizes.get(letter)!, 1);
  const arrange = ({ operand, letters }: Lettered, order: readonly string[], shape: number[]) => {
    const moved = node.transpose(operand, order.map((letter) => letters.indexOf(letter)));
    return node.reshape(node.expand(moved, order.map((letter) => sizes.get(letter)!)), shape);
  };
  const x = arrange(a, [...batch, ...left!, ...inner], [count(batch), count(left!), count(inner)]);
  const y = arrange(b, [...batch, ...inner, ...right!], [count(batch), count(inner), count(right!)]);
  const letters = [...batch, ...left!, ...right!];
  return { operand: node.reshape(product(node, x, y), letters.map((letter) => sizes.get(letter)!)), letters };
}

/** The largest matrices whose determinant is expanded. */
const MAXIMUM_DETERMINANT = 5;

function det(node: NodeView): RowResult {
  const x = node.input(0);
  const size = x.shape.at(-1)!;
  if (size > MAXIMUM_DETERMINANT) node.refuse(`a determinant of more than ${MAXIMUM_DETERMINANT} rows`);
  return determinant(node, x);
}

/** Expansion along the first row: each element times the determinant of its minor. */
function determinant(node: NodeView, x: MLOperand): MLOperand {
  const { add, sub, mul } = calculate(node);
  const [rowAxis, columnAxis, size] = [x.shape.length - 2, x.shape.length - 1, x.shape.at(-1)!];
  const first = pick(node, x, rowAxis, 0);
  if (size === 1) return pick(node, first, rowAxis, 0);
  const below = cut(node, x, rowAxis, 1, size - 1);
  const minors = range(0, size).map((column) => {
    const others = range(0, size).filter((i) => i !== column);
    const rest = node.builder.gather(below, node.constant("int32", [size - 1], others), { axis: columnAxis });
    return mul(pick(node, first, rowAxis, column), determinant(node, rest));
  });
  return minors.reduce((sum, minor, i) => i % 2 ? sub(sum, minor) : add(sum, minor));
}

/** α · A · B. Either may be transposed, and `transBatch` moves its first axis to just before the last. */
function fusedMatMul(node: NodeView): RowResult {
  const side = (i: number, letter: string) => {
    const x = node.input(i);
    const last = x.shape.length - 1;
    if (last < 1) return x;
    const order = range(0, last + 1);
    if (node.flag(`transBatch${letter}`)) order.splice(last - 1, 0, order.shift()!);
    if (node.flag(`trans${letter}`)) order.push(order.splice(last - 1, 1)[0]!);
    return node.transpose(x, order);
  };
  const alpha = node.float("alpha", 1);
  const result = product(node, side(0, "A"), side(1, "B"));
  return alpha === 1 ? result : calculate(node).mul(result, alpha);
}

export const matrix: Row[] = [
  ...rows("", { Det: [[11], det], Einsum: [[12], einsum], Gemm: [[7], gemm], MatMul: [[1], matMul] }),
  ...rows("com.microsoft", { FusedMatMul: [[1], fusedMatMul] }),
];
