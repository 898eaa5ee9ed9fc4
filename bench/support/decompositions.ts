/**
 * Decompositions of small matrices as WebNN graphs: QR by Householder reflections, and eigenvalues of a symmetric
 * matrix and singular values by Jacobi rotations. WebNN has no loops, so the graph contains all steps one after the
 * other.
 *
 * A Jacobi step rotates n / 2 pairs of rows and columns at once: (0, h), (1, h + 1) and so on, where h = n / 2. Between
 * steps, rows and columns are permuted as in a round-robin tournament. So in n - 1 steps, a sweep, each pair is rotated
 * once.
 *
 * @module
 */
import { type OperatorSuite, toSuite } from "./operator_suites.ts";
import type { Suite } from "./suite.ts";

/** Enough for float32: convergence is quadratic. */
const SWEEPS = 6;
/** The largest allowed residual, relative to the matrix's largest element. */
const TOLERANCE = 2e-5;
/** Added to divisors to avoid 0 / 0. */
const TINY = 1e-30;

/** A builder, with helpers that the three decompositions share. */
interface Tools {
  readonly builder: MLGraphBuilder;
  readonly size: number;
  matrix(values: readonly (readonly number[])[]): MLOperand;
  number(value: number): MLOperand;
}

function toolsFor(builder: MLGraphBuilder, size: number): Tools {
  return {
    builder,
    size,
    matrix: (rows) =>
      builder.constant({ dataType: "float32", shape: [rows.length, rows[0]!.length] }, Float32Array.from(rows.flat())),
    number: (value) => builder.constant("float32", value),
  };
}

/** A square matrix with the elements that `element` returns. */
function filled(size: number, element: (row: number, column: number) => number): number[][] {
  return Array.from({ length: size }, (_, row) => Array.from({ length: size }, (_, column) => element(row, column)));
}

const identity = (size: number) => filled(size, (row, column) => row === column ? 1 : 0);

/** Q and R, one above the other. */
function buildQr({ builder: b, size, matrix, number }: Tools, a: MLOperand): MLOperand {
  let [q, r] = [matrix(identity(size)), a];
  for (let k = 0; k < size - 1; k++) {
    const below = b.mul(
      b.slice(r, [0, k], [size, 1]),
      matrix(filled(size, (row) => row >= k ? 1 : 0).map(([x]) => [x!])),
    );
    const pivot = b.slice(r, [k, k], [1, 1]);
    const sign = b.where(b.lesser(pivot, number(0)), number(-1), number(1));
    const length = b.sqrt(b.reduceSumSquare(below, { keepDimensions: true }));
    const unit = matrix(filled(size, (row) => row === k ? 1 : 0).map(([x]) => [x!]));
    const v = b.add(below, b.mul(unit, b.mul(sign, length)));
    const factor = b.div(number(2), b.add(b.reduceSumSquare(v, { keepDimensions: true }), number(TINY)));
    const row = b.transpose(v);
    r = b.sub(r, b.matmul(b.mul(v, factor), b.matmul(row, r)));
    q = b.sub(q, b.matmul(b.matmul(q, b.mul(v, factor)), row));
  }
  return b.concat([q, r], 0);
}

/** The permutation after a step: for each position, the index of the row or column that moves there. */
function tournament(size: number): number[] {
  const half = size / 2;
  const [top, bottom] = [(i: number) => i, (i: number) => half + i];
  const order = Array.from({ length: size }, (_, position) => position);
  order[1] = bottom(0);
  for (let i = 2; i < half; i++) order[i] = top(i - 1);
  for (let i = 0; i < half - 1; i++) order[bottom(i)] = bottom(i + 1);
  order[bottom(half - 1)] = top(half - 1);
  return order;
}

/**
 * Returns a function that computes the matrix of a step for the symmetric matrix `s`: the rotations that make the
 * elements of its pairs 0, then the permutation of the tournament.
 */
function buildStep({ builder: b, size, matrix, number }: Tools): (s: MLOperand) => MLOperand {
  const [half, order] = [size / 2, tournament(size)];
  const indices = (row: (i: number) => number, column: (i: number) => number) =>
    b.constant(
      { dataType: "int32", shape: [half] },
      Int32Array.from({ length: half }, (_, i) => row(i) * size + column(i)),
    );
  const [first, second] = [(i: number) => i, (i: number) => half + i];
  const [ofFirst, ofSecond, between] = [indices(first, first), indices(second, second), indices(first, second)];
  const [zero, one, minus, two, tiny] = [0, 1, -1, 2, TINY].map(number) as [MLOperand, ...MLOperand[]];
  const moved = (element: (row: number, column: number) => number) =>
    matrix(filled(size, (row, column) => element(row, order[column]!)));
  const cosines = moved((row, column) => row === column ? 1 : 0);
  const sines = moved((row, column) => row + half === column ? 1 : column + half === row ? -1 : 0);
  return (s) => {
    const flat = b.reshape(s, [size * size]);
    const difference = b.sub(b.gather(flat, ofSecond), b.gather(flat, ofFirst));
    const doubled = b.mul(two!, b.gather(flat, between));
    const sign = b.where(b.lesser(difference, zero), minus!, one!);
    const root = b.sqrt(b.add(b.mul(difference, difference), b.mul(doubled, doubled)));
    const tangent = b.div(b.mul(sign, doubled), b.add(b.add(b.abs(difference), root), tiny!));
    const cosine = b.reciprocal(b.sqrt(b.add(b.mul(tangent, tangent), one!)));
    const both = (half: MLOperand) => b.reshape(b.concat([half, half], 0), [size, 1]);
    return b.add(b.mul(both(cosine), cosines), b.mul(both(b.mul(cosine, tangent)), sines));
  };
}

/** The eigenvectors as columns, then a row of eigenvalues. */
function buildEigen(tools: Tools, a: MLOperand): MLOperand {
  const { builder: b, size, matrix } = tools;
  const step = buildStep(tools);
  let [s, vectors] = [a, matrix(identity(size))];
  for (let i = 0; i < SWEEPS * (size - 1); i++) {
    const rotation = step(s);
    s = b.matmul(b.matmul(b.transpose(rotation), s), rotation);
    vectors = b.matmul(vectors, rotation);
  }
  const values = b.reduceSum(b.mul(s, matrix(identity(size))), { axes: [0], keepDimensions: true });
  return b.concat([vectors, values], 0);
}

/** U, a row of singular values, and V, one above the other. One-sided Jacobi: makes the columns of `a` orthogonal. */
function buildSvd(tools: Tools, a: MLOperand): MLOperand {
  const { builder: b, size, matrix } = tools;
  const step = buildStep(tools);
  let [scaled, right] = [a, matrix(identity(size))];
  for (let i = 0; i < SWEEPS * (size - 1); i++) {
    const rotation = step(b.matmul(b.transpose(scaled), scaled));
    scaled = b.matmul(scaled, rotation);
    right = b.matmul(right, rotation);
  }
  const values = b.sqrt(b.reduceSumSquare(scaled, { axes: [0], keepDimensions: true }));
  return b.concat([b.div(scaled, values), values, right], 0);
}

type Matrix = (row: number, column: number) => number;

/** The largest magnitude of a matrix. */
function largest(size: number, element: Matrix): number {
  return Math.max(...filled(size, element).flat().map(Math.abs));
}

const dot = (size: number, of: (i: number) => number) =>
  Array.from({ length: size }, (_, i) => of(i)).reduce((sum, x) => sum + x, 0);

/** The error of orthonormal columns: the largest element of QᵀQ − I. */
function orthonormalityError(size: number, q: Matrix): number {
  return largest(size, (i, j) => dot(size, (k) => q(k, i) * q(k, j)) - (i === j ? 1 : 0));
}

/** A decomposition, and how to compute the error of its result. */
interface Decomposition {
  readonly title: string;
  readonly isSymmetric?: true;
  build(tools: Tools, a: MLOperand): MLOperand;
  /** The largest residual. `row` is that of the output. */
  residual(size: number, a: Matrix, output: Matrix): number;
}

/** The decompositions by name. */
export const DECOMPOSITIONS: Readonly<Record<string, Decomposition>> = {
  qr: {
    title: "QR",
    build: buildQr,
    residual(size, a, q) {
      const r: Matrix = (row, column) => q(size + row, column);
      const product = largest(size, (i, j) => dot(size, (k) => q(i, k) * r(k, j)) - a(i, j)) / largest(size, a);
      const lower = largest(size, (i, j) => i > j ? r(i, j) : 0) / largest(size, a);
      return Math.max(product, lower, orthonormalityError(size, q));
    },
  },
  eigen: {
    title: "symmetric eigenvalues",
    isSymmetric: true,
    build: buildEigen,
    residual(size, a, v) {
      const product = largest(size, (i, j) => dot(size, (k) => a(i, k) * v(k, j)) - v(i, j) * v(size, j));
      return Math.max(product / largest(size, a), orthonormalityError(size, v));
    },
  },
  svd: {
    title: "SVD",
    build: buildSvd,
    residual(size, a, u) {
      const v: Matrix = (row, column) => u(size + 1 + row, column);
      const product = largest(size, (i, j) => dot(size, (k) => u(i, k) * u(size, k) * v(j, k)) - a(i, j));
      return Math.max(product / largest(size, a), orthonormalityError(size, u), orthonormalityError(size, v));
    },
  },
};

/** The largest residual of an output; NaN or Infinity if the output contains them. */
export function residualOf(name: string, size: number, input: ArrayLike<number>, output: ArrayLike<number>): number {
  const { isSymmetric, residual } = DECOMPOSITIONS[name]!;
  const given: Matrix = (row, column) => input[row * size + column]!;
  const a: Matrix = isSymmetric ? (row, column) => Math.fround(given(row, column) + given(column, row)) : given;
  return residual(size, a, (row, column) => output[row * size + column]!);
}

/** The suite of a decomposition. Its check throws if a residual is too large. */
export function decompositionSuite(name: string, size: number): Suite {
  const { build, isSymmetric } = DECOMPOSITIONS[name]!;
  const suite: OperatorSuite = {
    name: `${name}-${size}`,
    inputs: [[size, size]],
    build(builder, [x]) {
      const a = isSymmetric ? builder.add(x!, builder.transpose(x!)) : x!;
      return build(toolsFor(builder, size), a);
    },
    checkAll(values, [input]) {
      const residual = residualOf(name, size, input!, values);
      if (!(residual <= TOLERANCE)) throw new Error(`the residual is ${residual}, more than ${TOLERANCE}`);
    },
  };
  return toSuite(suite);
}
