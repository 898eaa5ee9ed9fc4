/**
 * Step after step of an optimiser, without the state ever leaving the device.
 *
 * @module
 */
import { assertCloseElements } from "./check.ts";
import { buildStep, initialState, type Optimizer, plainStep, type State } from "./optimizers.ts";

/** What changes from step to step. */
const KEPT = ["parameter", "first", "second"] as const;

/** A training of which the gradient stays the same. */
export interface Training {
  /** Dispatches the next step. */
  step(): void;
  /** Resolves once everything dispatched is done: it reads one number, no state. */
  settled(): Promise<void>;
  /** Takes so many steps from the beginning, and throws unless the state is then that of the plain reference. */
  check(steps: number): Promise<void>;
}

/** Makes the graph and the tensors. */
export async function createTraining(context: MLContext, optimizer: Optimizer): Promise<Training> {
  const { graph, inputs } = await buildStep(context, optimizer);
  const tensor = (name: string) =>
    context.createTensor({ dataType: "float32", shape: [...inputs[name]!], readable: true, writable: true });
  const gradient = await tensor("gradient");
  const scalars = Object.fromEntries(
    await Promise.all(Object.keys(optimizer.scalars(1)).map(async (name) => [name, await tensor(name)])),
  ) as Record<string, MLTensor>;
  const createSet = async () =>
    Object.fromEntries(await Promise.all(KEPT.map(async (name) => [name, await tensor(name)]))) as Kept;
  let [now, next] = [await createSet(), await createSet()];
  let count = 0;

  function step(): void {
    count++;
    for (const [name, value] of Object.entries(optimizer.scalars(count))) {
      context.writeTensor(scalars[name]!, Float32Array.of(value));
    }
    const outputs = Object.fromEntries(KEPT.map((name) => [`new_${name}`, next[name]]));
    context.dispatch(graph, { ...now, gradient, ...scalars }, outputs);
    [now, next] = [next, now];
  }
  return {
    step,
    // A scalar is written before each step and read after it: the timeline keeps the order.
    settled: async () => void await context.readTensor(Object.values(scalars)[0]!),
    async check(steps) {
      let expected: State<ArrayLike<number>> = initialState();
      context.writeTensor(gradient, initialState().gradient);
      for (const name of KEPT) context.writeTensor(now[name], initialState()[name]);
      for (let i = 1; i <= steps; i++) {
        step();
        expected = plainStep(optimizer, expected, i);
      }
      for (const name of KEPT) {
        assertCloseElements(new Float32Array(await context.readTensor(now[name])), expected[name], 1e-5);
      }
    },
  };
}

type Kept = Record<typeof KEPT[number], MLTensor>;
