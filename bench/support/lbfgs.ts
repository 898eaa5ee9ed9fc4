/**
 * A step of L-BFGS as a WebNN graph.
 *
 * @module
 */
import { assertCloseElements } from "./check.ts";
import { randomArray } from "./random_array.ts";
import type { Suite } from "./suite.ts";

/** The number of earlier steps that L-BFGS uses. */
const HISTORY = 10;
const RATE = 0.1;

/**
 * One step of L-BFGS with the two-loop recursion (Nocedal and Wright, Numerical Optimization, algorithm 7.4), without a
 * line search. Each earlier step and change of the gradient is an input of its own, so that the oldest tensor can be
 * reused for the newest values on the device.
 */
export function lbfgs(size: number): Suite {
  const shapes = Object.fromEntries(NAMES.map((name) => [name, [1, size]]));
  return {
    name: `lbfgs-${size}`,
    async build(context) {
      const builder = new MLGraphBuilder(context);
      const operands = Object.fromEntries(
        NAMES.map((name) => [name, builder.input(name, { dataType: "float32", shape: [1, size] })]),
      );
      const output = buildStep(builder, operands);
      const graph = await builder.build({ output });
      return { graph, inputs: shapes, outputs: { output: [1, size] } };
    },
    get inputs() {
      return inputsOf(size);
    },
    output: "output",
    check: (values) => assertCloseElements(values, plainStep(inputsOf(size)), 2e-5),
  };
}

const [STEPS, CHANGES] = ["step", "change"].map((name) =>
  Array.from({ length: HISTORY }, (_, i) => `${name}_${i}`)
) as [
  string[],
  string[],
];
const NAMES = ["parameter", "gradient", ...STEPS, ...CHANGES];

function buildStep(b: MLGraphBuilder, given: Record<string, MLOperand>): MLOperand {
  const dot = (x: MLOperand, y: MLOperand) => b.gemm(x, y, { bTranspose: true });
  const [steps, changes] = [STEPS, CHANGES].map((names) => names.map((name) => given[name]!)) as [
    MLOperand[],
    MLOperand[],
  ];
  const curvatures = steps.map((step, i) => dot(step, changes[i]!));
  const shares: MLOperand[] = [];
  let direction = given.gradient!;
  for (let i = HISTORY - 1; i >= 0; i--) {
    shares[i] = b.div(dot(steps[i]!, direction), curvatures[i]!);
    direction = b.sub(direction, b.mul(shares[i]!, changes[i]!));
  }
  const [curvature, change] = [curvatures.at(-1)!, changes.at(-1)!];
  direction = b.mul(direction, b.div(curvature, dot(change, change)));
  for (let i = 0; i < HISTORY; i++) {
    const share = b.div(dot(changes[i]!, direction), curvatures[i]!);
    direction = b.add(direction, b.mul(steps[i]!, b.sub(shares[i]!, share)));
  }
  return b.sub(given.parameter!, b.mul(b.constant("float32", RATE), direction));
}

/** The changes are those of a quadratic function with a diagonal Hessian. */
function inputsOf(size: number): Record<string, Float32Array> {
  const curvature = randomArray(size, 90).map((value) => 1.5 + value);
  const steps = STEPS.map((name, i) => [name, randomArray(size, 100 + i, 0.1)] as const);
  const changes = CHANGES.map((name, i) => [name, steps[i]![1].map((value, j) => value * curvature[j]!)]);
  return {
    parameter: randomArray(size, 91),
    gradient: randomArray(size, 92),
    ...Object.fromEntries(steps),
    ...Object.fromEntries(changes),
  };
}

/** The same step in float64, as the reference. */
function plainStep(given: Record<string, Float32Array>): number[] {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
    return sum;
  };
  const of = (name: string, i: number) => given[`${name}_${i}`]!;
  const shares: number[] = [];
  let direction = Array.from(given.gradient!);
  for (let i = HISTORY - 1; i >= 0; i--) {
    const share = shares[i] = dot(of("step", i), direction) / dot(of("step", i), of("change", i));
    direction = direction.map((value, j) => value - share * of("change", i)[j]!);
  }
  const [step, change] = [of("step", HISTORY - 1), of("change", HISTORY - 1)];
  const scale = dot(step, change) / dot(change, change);
  direction = direction.map((value) => value * scale);
  for (let i = 0; i < HISTORY; i++) {
    const share = shares[i]! - dot(of("change", i), direction) / dot(of("step", i), of("change", i));
    direction = direction.map((value, j) => value + share * of("step", i)[j]!);
  }
  return direction.map((value, j) => given.parameter![j]! - RATE * value);
}
