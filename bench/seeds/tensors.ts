/**
 * Tensor operations by size.
 *
 * @module
 */
import { type OperatorSuite, toSuite } from "../support/operator_suites.ts";
import { elementsOf, RUNS, type Seed } from "./seed.ts";

interface Operation {
  build(builder: MLGraphBuilder, operands: readonly MLOperand[]): MLOperand;
  /** One element of the result, in float64. */
  of(a: number, b: number): number;
  readonly isBinary?: boolean;
  /** Whether the operands must be positive. */
  readonly positive?: boolean;
}

const binary = (name: "add" | "sub" | "mul" | "div", of: Operation["of"], positive = false): Operation => ({
  build: (builder, [a, b]) => builder[name](a!, b!),
  of,
  isBinary: true,
  positive,
});
const unary = (name: "relu" | "sigmoid" | "tanh" | "exp" | "log" | "sqrt", of: Operation["of"], positive = false) => ({
  build: (builder: MLGraphBuilder, [x]: readonly MLOperand[]) => builder[name](x!),
  of,
  positive,
});

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: binary("add", (a, b) => a + b),
  sub: binary("sub", (a, b) => a - b),
  mul: binary("mul", (a, b) => a * b),
  div: binary("div", (a, b) => a / b, true),
  relu: unary("relu", (x) => Math.max(x, 0)),
  sigmoid: unary("sigmoid", (x) => 1 / (1 + Math.exp(-x))),
  tanh: unary("tanh", Math.tanh),
  exp: unary("exp", Math.exp),
  log: unary("log", Math.log, true),
  sqrt: unary("sqrt", Math.sqrt, true),
};

/** From 1 K to 10 M elements, including the three squares of the seed documents. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "1 K": [1000],
  "100²": [100, 100],
  "100 K": [100_000],
  "500²": [500, 500],
  "1000²": [1000, 1000],
  "10 M": [10_000_000],
};

/** The suite whose time is compared with STREAM's triad. */
export const LARGEST_ADD = "add-10000000";

/** All seeds of this file: each operation in each size. */
export const tensors: readonly Seed[] = Object.entries(SHAPES).flatMap(([column, shape]) =>
  [...Object.entries(OPERATIONS).map(([name, operation]) => elementwise(name, operation, shape)), sum(shape)].map(
    (suite): Seed => ({
      category: "tensors",
      row: suite.name.split("-")[0]!,
      column,
      suite: suite.name,
      load: () => toSuite(suite),
      kind: RUNS,
      elements: elementsOf(shape),
      isLong: elementsOf(shape) > 1e6,
    }),
  )
);

function elementwise(
  name: string,
  { build, of, isBinary, positive = false }: Operation,
  shape: readonly number[],
): OperatorSuite {
  return {
    name: `${name}-${elementsOf(shape)}`,
    inputs: isBinary ? [shape, shape] : [shape],
    positive,
    build,
    element: (index, [a, b]) => of(a![index]!, b?.[index] ?? 0),
    tolerance: 1e-5,
  };
}

/** The sum of all elements. Its tolerance is relative, because float32 rounds in proportion to the sum. */
function sum(shape: readonly number[]): OperatorSuite {
  return {
    name: `sum-${elementsOf(shape)}`,
    inputs: [shape],
    positive: true,
    build: (builder, [x]) => builder.reduceSum(x!),
    element: (_, [x]) => x!.reduce((total, value) => total + value, 0),
    tolerance: 1e-5 * elementsOf(shape),
  };
}
