/**
 * Runs optimiser steps; the state never leaves the device.
 *
 * @module
 */
import { assertCloseElements } from "./check.ts";
import { buildStep, initialState, type Optimizer, plainStep, type State } from "./optimizers.ts";

/** The values that each step updates. */
const UPDATED = ["parameter", "first", "second"] as const;

/** Steps of an optimiser with a constant gradient. */
export interface Training {
  /** Dispatches the next step. */
  step(): void;
  /** Resolves when all dispatched steps are done. Reads only one number, not the state. */
  finished(): Promise<void>;
  /** Runs `count` steps from the beginning. Throws if the state differs from the reference. */
  check(steps: number): Promise<void>;
}

/** Creates the graph and the tensors. */
export async function createTraining(context: MLContext, optimizer: Optimizer): Promise<Training> {
  const { graph, inputs } = await buildStep(context, optimizer);
  const tensor = (name: string) =>
    context.createTensor({ dataType: "float32", shape: [...inputs[name]!], readable: true, writable: true });
  const gradient = await tensor("gradient");
  const scalars = Object.fromEntries(
    await Promise.all(Object.keys(optimizer.scalars(1)).map(async (name) => [name, await tensor(name)])),
  ) as Record<string, MLTensor>;
  const createSet = async () =>
    Object.fromEntries(await Promise.all(UPDATED.map(async (name) => [name, await tensor(name)]))) as Updated;
  let [now, next] = [await createSet(), await createSet()];
  let count = 0;

  function step(): void {
    count++;
    for (const [name, value] of Object.entries(optimizer.scalars(count))) {
      context.writeTensor(scalars[name]!, Float32Array.of(value));
    }
    const outputs = Object.fromEntries(UPDATED.map((name) => [`new_${name}`, next[name]]));
    context.dispatch(graph, { ...now, gradient, ...scalars }, outputs);
    [now, next] = [next, now];
  }
  return {
    step,
    // The scalars are written before each step; the timeline keeps the order.
    finished: async () => void await context.readTensor(Object.values(scalars)[0]!),
    async check(steps) {
      let expected: State<ArrayLike<number>> = initialState();
      context.writeTensor(gradient, initialState().gradient);
      for (const name of UPDATED) context.writeTensor(now[name], initialState()[name]);
      for (let i = 1; i <= steps; i++) {
        step();
        expected = plainStep(optimizer, expected, i);
      }
      for (const name of UPDATED) {
        assertCloseElements(new Float32Array(await context.readTensor(now[name])), expected[name], 1e-5);
      }
    },
  };
}

type Updated = Record<typeof UPDATED[number], MLTensor>;
