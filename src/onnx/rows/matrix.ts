/**
 * Matrix products (MatMul, Gemm, Einsum, and FusedMatMul of ONNX Runtime), and determinants.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { NodeView } from "../node.ts";
import { constant, type Operand, range } from "../operand.ts";
import { type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";

/** NumPy's matrix product: a vector is a row on the left, a column on the right. */
export function product(a: Operand, b: Operand): Operand {
  const [isRow, isColumn] = [a.rank === 1, b.rank === 1];
  const left = isRow ? a.reshape([1, ...a.shape]) : a;
  const right = isColumn ? b.reshape([...b.shape, 1]) : b;
  const result = a.isFloat ? left.matmul(right) : integerProduct(left, right);
  return withoutVectors(result, isRow, isColumn);
}

/** Removes the axes of size 1 that were added for vectors. */
export function withoutVectors(product: Operand, isRow: boolean, isColumn: boolean): Operand {
  const { shape } = product;
  return product.reshape([
    ...shape.slice(0, -2),
    ...isRow ? [] : shape.slice(-2, -1),
    ...isColumn ? [] : shape.slice(-1),
  ]);
}

/** WebNN's matmul supports only floats. For integers, all products are stored, then summed: at most this many. */
const MAXIMUM_PRODUCTS = 2 ** 24;

function integerProduct(a: Operand, b: Operand): Operand {
  const [rows, inner, columns] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const batch = Math.max(elementCount(a.shape.slice(0, -2)), elementCount(b.shape.slice(0, -2)));
  if (batch * rows * inner * columns > MAXIMUM_PRODUCTS) {
    unsupported(`a matrix product of ${a.type} with more than ${MAXIMUM_PRODUCTS} multiplications is too expensive`);
  }
  const products = a.reshape([...a.shape, 1]).mul(b.reshape([...b.shape.slice(0, -2), 1, inner, columns]));
  return products.reduceSum({ axes: [products.rank - 2] });
}

function gemm(node: NodeView, a: Operand, b: Operand, c?: Operand): Operand {
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  const [aTranspose, bTranspose] = [node.flag("transA"), node.flag("transB")];
  if (a.isFloat) return a.gemm(b, { alpha, beta, aTranspose, bTranspose, c });
  if (!Number.isInteger(alpha) || !Number.isInteger(beta)) unsupported(`alpha and beta must be integers for ${a.type}`);
  const left = aTranspose ? a.transpose([1, 0]) : a;
  const right = bTranspose ? b.transpose([1, 0]) : b;
  const result = integerProduct(left, right).mul(alpha);
  return c ? result.add(c.mul(beta)) : result;
}

/** An operand with a letter for each axis. */
interface Lettered {
  readonly operand: Operand;
  readonly letters: readonly string[];
}

/** Multiplies operands two at a time, and sums over the letters that are not in the output. */
function einsum(node: NodeView): Operand {
  const { terms, output } = parseEquation(node, node.string("equation").replaceAll(" ", ""));
  const operands = terms.map((letters, i) => diagonal({ operand: node.input(i), letters }));
  const rest = [...operands];
  let result = summed(rest.shift()!, [...output, ...rest.flatMap(({ letters }) => letters)]);
  while (rest.length > 0) {
    const next = rest.shift()!;
    const needed = [...output, ...rest.flatMap(({ letters }) => letters)];
    result = contract(result, summed(next, [...needed, ...result.letters]), needed);
  }
  const order = output.map((letter) => result.letters.indexOf(letter));
  return result.operand.transpose(order);
}

/** The letters of each operand and of the output. An ellipsis becomes letters `.0`, `.1`, …, aligned right. */
function parseEquation(node: NodeView, equation: string): { terms: string[][]; output: string[] } {
  const [left, right] = equation.split("->") as [string, string | undefined];
  const sources = left.split(",");
  if (sources.length !== node.inputs.length) {
    unsupported(`${equation} has ${sources.length} operands, not ${node.inputs.length}`);
  }
  const hidden = sources.map((text, i) => node.input(i).rank - text.replace("...", "").length);
  const most = Math.max(0, ...sources.map((text, i) => text.includes("...") ? hidden[i]! : 0));
  const ellipsis = (count: number) => range(most - count, most).map((i) => `.${i}`);
  const letters = (text: string, count: number) => {
    const [before, after] = text.split("...") as [string, string | undefined];
    return after === undefined ? [...before] : [...before, ...ellipsis(count), ...after];
  };
  const terms = sources.map((text, i) => letters(text, hidden[i]!));
  for (const [i, term] of terms.entries()) {
    if (term.length !== node.input(i).rank) unsupported(`${equation} does not match the rank of operand ${i}`);
  }
  return { terms, output: right === undefined ? implicitOutput(terms, ellipsis(most)) : letters(right, most) };
}

/** The output if the equation has no arrow: the ellipsis, then the letters that occur once, in alphabetical order. */
function implicitOutput(terms: readonly string[][], ellipsis: readonly string[]): string[] {
  const all = terms.flat().filter((letter) => !letter.startsWith("."));
  return [...ellipsis, ...all.filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter)).sort()];
}

/** A repeated letter selects the diagonal of its axes. */
function diagonal({ operand, letters }: Lettered): Lettered {
  const second = letters.findIndex((letter, i) => letters.indexOf(letter) < i);
  if (second < 0) return { operand, letters };
  const first = letters.indexOf(letters[second]!);
  const others = letters.map((_, i) => i).filter((i) => i !== first && i !== second);
  const size = operand.shape[first]!;
  const moved = operand.transpose([first, second, ...others]);
  const indices = constant(operand.recorder, "int32", [size, 2], range(0, 2 * size).map((i) => i >> 1));
  return diagonal({ operand: moved.gatherND(indices), letters: [letters[first]!, ...others.map((i) => letters[i]!)] });
}

/** Sums over the letters that are not in `needed`. */
function summed({ operand, letters }: Lettered, needed: readonly string[]): Lettered {
  const axes = range(0, letters.length).filter((i) => !needed.includes(letters[i]!));
  if (axes.length === 0) return { operand, letters };
  return { operand: operand.reduceSum({ axes }), letters: letters.filter((_, i) => !axes.includes(i)) };
}

/** A matrix product. Letters that both operands have are batch axes if they are in `needed`, or else summed over. */
function contract(a: Lettered, b: Lettered, needed: readonly string[]): Lettered {
  const sizes = new Map<string, number>();
  for (const { operand, letters } of [a, b]) {
    letters.forEach((letter, i) => sizes.set(letter, Math.max(sizes.get(letter) ?? 1, operand.shape[i]!)));
  }
  const both = a.letters.filter((letter) => b.letters.includes(letter));
  const [batch, inner] = [both.filter((x) => needed.includes(x)), both.filter((x) => !needed.includes(x))];
  const [left, right] = [a, b].map(({ letters }) => letters.filter((letter) => !both.includes(letter)));
  const count = (letters: readonly string[]) => letters.reduce((product, letter) => product * sizes.get(letter)!, 1);
  const arrange = ({ operand, letters }: Lettered, order: readonly string[], shape: number[]) => {
    const moved = operand.transpose(order.map((letter) => letters.indexOf(letter)));
    return moved.expand(order.map((letter) => sizes.get(letter)!)).reshape(shape);
  };
  const x = arrange(a, [...batch, ...left!, ...inner], [count(batch), count(left!), count(inner)]);
  const y = arrange(b, [...batch, ...inner, ...right!], [count(batch), count(inner), count(right!)]);
  const letters = [...batch, ...left!, ...right!];
  return { operand: product(x, y).reshape(letters.map((letter) => sizes.get(letter)!)), letters };
}

/** The maximum number of rows of a determinant, because the expansion of n rows has n! terms. */
const MAXIMUM_DETERMINANT = 5;

/** Expands along the first row: the sum, with alternating signs, of each element times its minor. */
function determinant(x: Operand): Operand {
  const [row, column, size] = [x.rank - 2, x.rank - 1, x.shape.at(-1)!];
  if (size > MAXIMUM_DETERMINANT) {
    unsupported(`a determinant of ${size} rows is too expensive; the limit is ${MAXIMUM_DETERMINANT}`);
  }
  const first = x.pick(row, 0);
  if (size === 1) return first.pick(row, 0);
  const below = x.cut(row, 1, size - 1);
  const terms = range(0, size).map((i) => {
    const minor = below.gatherAt(range(0, size).filter((other) => other !== i), column);
    return first.pick(row, i).mul(determinant(minor));
  });
  return terms.reduce((sum, term, i) => i % 2 ? sum.sub(term) : sum.add(term));
}

/** alpha · A · B. First `transBatch` moves the first axis to just before the last; then `trans` swaps the last two. */
function fusedMatMul(node: NodeView, a: Operand, b: Operand): Operand {
  const side = (x: Operand, letter: "A" | "B") => {
    if (x.rank < 2) return x;
    const order = range(0, x.rank);
    if (node.flag(`transBatch${letter}`)) order.splice(-1, 0, order.shift()!);
    if (node.flag(`trans${letter}`)) order.push(order.splice(-2, 1)[0]!);
    return x.transpose(order);
  };
  const alpha = node.float("alpha", 1);
  const result = product(side(a, "A"), side(b, "B"));
  return alpha === 1 ? result : result.mul(alpha);
}

export const matrix: Row[] = [
  ...rows("", {
    Det: [11, 1, (_, x) => determinant(x)],
    Einsum: [12, 1, einsum],
    Gemm: [7, 2, gemm],
    MatMul: [1, 2, (_, a, b) => product(a, b)],
  }),
  ...rows("com.microsoft", { FusedMatMul: [1, 2, fusedMatMul] }),
];
