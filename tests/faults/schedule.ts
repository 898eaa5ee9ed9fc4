/**
 * Runs a random program, and checks its results. All elements of a tensor are the same number and graphs compute
 * scale · x + shift, so that the result of each read is known.
 *
 * @module
 */
import { createContext, type MLContext, type MLGraph, MLGraphBuilder, type MLTensor } from "@webnn/deno";
import { OrtError } from "../../ffi/onnxruntime/table.ts";
import { type Random, random } from "../../support/random.ts";
import type { Faults } from "./library.ts";

const CONTEXTS = 3;
const ACTIONS = 60;
/** Small runs are synchronous; large ones do not block the calling thread. */
const SIZES = [16, 1 << 17];
/** The time limit for promises, in milliseconds. */
const TIME_LIMIT = 10_000;

/** Counts over all programs. */
export interface Tally {
  /** Calls of the programs. */
  calls: number;
  resolved: number;
  rejected: number;
  /** Programs in which a run failed. */
  failedRuns: number;
  /** Failures of runs that were printed on the console, because the program did not read the results. */
  unread: number;
}

/** A context, and the objects that the program created on it. */
interface Space {
  readonly context: MLContext;
  readonly tensors: Cell[];
  readonly graphs: Affine[];
  /** Constant tensors for the scales of graphs. */
  readonly weights: Weight[];
  /** The turn in which it was destroyed. */
  destroyed: number | undefined;
}

/** Something that can be destroyed. */
interface Item {
  readonly space: Space;
  readonly native: MLTensor | MLGraph;
  destroyed: number | undefined;
}

interface Cell extends Item {
  readonly native: MLTensor;
  readonly size: number;
  /** The value of all elements after the calls so far. */
  value: number;
  /** Whether it is computed by a run, which may fail. */
  computed: boolean;
}

interface Weight extends Item {
  readonly native: MLTensor;
  readonly size: number;
  readonly value: number;
}

interface Affine extends Item {
  readonly native: MLGraph;
  readonly size: number;
  readonly scale: number;
  readonly shift: number;
}

/** The expected result of a promise. */
interface Expectation<T> {
  readonly name: string;
  /** If one of them is destroyed, the promise may reject. */
  readonly owners: readonly { destroyed: number | undefined }[];
  /** Whether it must reject when an owner is destroyed in the same turn as the call. */
  readonly isQueued: boolean;
  /** Whether the failure of a run may reject it. */
  readonly mayFail?: boolean;
  /** Checks the value. Returns the problem, if there is one. */
  accept(value: T): string | undefined | void;
}

/** Runs the program of a seed. Returns the problems. */
export async function runSchedule(faults: Faults, seed: number, tally: Tally): Promise<string[]> {
  const next = random(seed);
  const problems: string[] = [];
  const pending: Promise<void>[] = [];
  /** The number of awaited actions so far, in which other work could run. */
  let turn = 0;

  const consoleError = console.error;
  console.error = (error: unknown) => {
    tally.unread++;
    if (!isInjected(error)) problems.push(`on the console: ${error}`);
  };

  const spaces: Space[] = [];
  for (let i = 0; i < CONTEXTS; i++) spaces.push(await openSpace());
  for (const space of spaces) prepare(space);
  if (next() < 0.5) faults.fail("RunWithBinding", next.integer(1, 6));

  const actions: [weight: number, act: (space: Space) => void | Promise<void>][] = [
    [3, createTensor],
    [1, createWeight],
    [3, build],
    [5, write],
    [8, dispatch],
    [6, read],
    [2, destroy],
    [0.3, lose],
    [1, delay],
    [5, pause],
  ];
  for (let i = 0; i < ACTIONS; i++) {
    const waiting = pickWeighted(next, actions)(pickSpace());
    if (!waiting) continue;
    await waiting;
    turn++;
  }
  for (const space of spaces) loseSpace(space, true);
  await settleAll();
  if (faults.fired()) tally.failedRuns++;
  console.error = consoleError;
  return problems;

  async function openSpace(): Promise<Space> {
    const context = await createContext({ library: faults.path });
    const space: Space = { context, tensors: [], graphs: [], weights: [], destroyed: undefined };
    pending.push(context.lost.then(({ message }) => {
      if (message === "" || space.destroyed === undefined) problems.push(`lost: ${message}`);
    }));
    return space;
  }

  function prepare(space: Space): void {
    for (let i = 0; i < 3; i++) createTensor(space);
    for (let i = 0; i < 2; i++) build(space);
  }

  /** Sometimes picks a destroyed context, which must reject all calls. */
  function pickSpace(): Space {
    return next.pick(next() < 0.1 ? spaces : spaces.filter(({ destroyed }) => destroyed === undefined));
  }

  function createTensor(space: Space): void {
    const size = next.pick(SIZES);
    const descriptor = { dataType: "float32", shape: [size], readable: true, writable: true } as const;
    expect(() => space.context.createTensor(descriptor), {
      name: "createTensor",
      owners: [space],
      isQueued: false,
      accept: (native) => {
        space.tensors.push({ space, native, size, value: 0, computed: false, destroyed: undefined });
      },
    });
  }

  function createWeight(space: Space): void {
    const [size, value] = [next.pick(SIZES), next.integer(-1, 1)];
    const data = new Float32Array(size).fill(value);
    expect(() => space.context.createConstantTensor({ dataType: "float32", shape: [size] }, data), {
      name: "createConstantTensor",
      owners: [space],
      isQueued: false,
      accept: (native) => {
        space.weights.push({ space, native, size, value, destroyed: undefined });
      },
    });
  }

  function build(space: Space): void {
    const [size, shift] = [next.pick(SIZES), next.integer(-3, 3)];
    const weights = space.weights.filter((weight) => weight.size === size && weight.destroyed === undefined);
    const weight = weights.length > 0 && next() < 0.7 ? next.pick(weights) : undefined;
    const scale = weight ? weight.value : 1;
    expect(() => buildAffine(space, size, shift, weight), {
      name: "build",
      owners: [space],
      isQueued: true,
      accept: (native) => {
        space.graphs.push({ space, native, size, scale, shift, destroyed: undefined });
      },
    });
  }

  function write(space: Space): void {
    const cell = pickItem(space.tensors);
    if (!cell) return;
    const value = next.integer(-100, 100);
    const data = new Float32Array(cell.size).fill(value);
    if (mustThrow(`writeTensor`, [space, cell], () => space.context.writeTensor(cell.native, data))) return;
    data.fill(NaN); // The data has been copied.
    Object.assign(cell, { value, computed: false });
  }

  function dispatch(space: Space): void {
    const graph = pickItem(space.graphs);
    const cells = space.tensors.filter(({ size }) => size === graph?.size);
    if (!graph || cells.length < 2) return;
    const input = next.pick(cells);
    const output = next.pick(cells.filter((cell) => cell !== input));
    const run = () => space.context.dispatch(graph.native, { x: input.native }, { y: output.native });
    if (mustThrow("dispatch", [space, graph, input, output], run)) return;
    Object.assign(output, { value: graph.scale * input.value + graph.shift, computed: true });
  }

  function read(space: Space): void {
    const cell = pickItem(space.tensors);
    if (!cell) return;
    const { native, size, value, computed } = cell;
    const target = next() < 0.3 ? new Float32Array(size) : undefined;
    const call = (): Promise<ArrayBuffer | undefined> =>
      target ? space.context.readTensor(native, target) : space.context.readTensor(native);
    expect(call, {
      name: "readTensor",
      owners: [space, cell],
      isQueued: true,
      mayFail: computed,
      accept: (result) => {
        const elements = target ?? new Float32Array(result!);
        const wrong = elements.length === size ? elements.find((element) => element !== value) : elements.length;
        return wrong === undefined ? undefined : `gave ${wrong}, not ${value}`;
      },
    });
  }

  function destroy(space: Space): void {
    const item = pickItem<Item>([...space.tensors, ...space.graphs, ...space.weights]);
    if (!item) return;
    item.destroyed ??= turn;
    dispose(item.native, next() < 0.5);
  }

  /** Destroys a context, and opens another. */
  async function lose(space: Space): Promise<void> {
    loseSpace(space, next() < 0.5);
    const another = await openSpace();
    spaces.push(another);
    prepare(another);
  }

  function loseSpace(space: Space, wait: boolean): void {
    space.destroyed ??= turn;
    dispose(space.context, wait);
  }

  /** Destroys an object; with `wait`, checks that it is released. */
  function dispose(native: MLContext | MLTensor | MLGraph, wait: boolean): void {
    if (!wait) native.destroy();
    else expect(() => native[Symbol.asyncDispose](), { name: "dispose", owners: [], isQueued: false, accept() {} });
  }

  function delay(): void {
    faults.delay("RunWithBinding", next.integer(0, 3));
    faults.delay("FinalizeModelEditorSession", next.integer(0, 3));
  }

  async function pause(): Promise<void> {
    await (next() < 0.3 ? undefined : new Promise((resolve) => setTimeout(resolve, next() * 3)));
  }

  /** Checks that a call throws if and only if something that it needs is destroyed. Returns whether it must throw. */
  function mustThrow(name: string, needs: readonly { destroyed: number | undefined }[], call: () => void): boolean {
    tally.calls++;
    const isDestroyed = needs.some(({ destroyed }) => destroyed !== undefined);
    try {
      call();
      if (isDestroyed) problems.push(`${name} did not throw`);
    } catch (error) {
      if (!isDestroyed || !isInvalidState(error)) problems.push(`${name}: ${error}`);
    }
    return isDestroyed;
  }

  function expect<T>(call: () => Promise<T>, expectation: Expectation<T>): void {
    const { name, owners, isQueued, mayFail = false, accept } = expectation;
    tally.calls++;
    const called = turn;
    const wasDestroyed = owners.some(({ destroyed }) => destroyed !== undefined);
    const succeed = (value: T) => {
      tally.resolved++;
      const destroyed = owners.some((owner) => owner.destroyed !== undefined && owner.destroyed <= called);
      if (wasDestroyed || isQueued && destroyed) problems.push(`${name} resolved after a destroy`);
      const problem = accept(value);
      if (problem) problems.push(`${name} ${problem}`);
    };
    const fail = (error: unknown) => {
      tally.rejected++;
      const isDestroyed = owners.some(({ destroyed }) => destroyed !== undefined);
      const isExpected = isInvalidState(error) ? isDestroyed : mayFail && isInjected(error);
      if (!isExpected) problems.push(`${name}: ${error}`);
    };
    pending.push(call().then(succeed, fail));
  }

  function pickItem<T extends Item>(items: readonly T[]): T | undefined {
    // Sometimes picks a destroyed object, which must be rejected.
    const some = next() < 0.1 ? items : items.filter(({ destroyed }) => destroyed === undefined);
    return some.length > 0 ? next.pick(some) : undefined;
  }

  async function settleAll(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      problems.push("a promise did not settle");
      resolve();
    }, TIME_LIMIT);
    await Promise.race([Promise.all(pending), promise]);
    clearTimeout(timer);
  }
}

async function buildAffine({ context }: Space, size: number, shift: number, weight?: Weight): Promise<MLGraph> {
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { dataType: "float32", shape: [size] });
  const scale = weight ? builder.constant(weight.native) : builder.constant("float32", 1);
  const shifts = builder.constant({ dataType: "float32", shape: [size] }, new Float32Array(size).fill(shift));
  return await builder.build({ y: builder.add(builder.mul(x, scale), shifts) });
}

function isInvalidState(error: unknown): boolean {
  return error instanceof DOMException && error.name === "InvalidStateError";
}

function isInjected(error: unknown): boolean {
  return error instanceof DOMException && error.name === "OperationError" && error.cause instanceof OrtError &&
    error.cause.message === "injected failure of RunWithBinding";
}

function pickWeighted<T>(next: Random, items: readonly (readonly [weight: number, item: T])[]): T {
  const total = items.reduce((sum, [weight]) => sum + weight, 0);
  let rest = next() * total;
  return items.find(([weight]) => (rest -= weight) < 0)?.[1] ?? items.at(-1)![1];
}
