/**
 * If, Loop and Scan: bodies are unrolled in place, once per iteration.
 *
 * @module
 */

import type { Known, OnnxGraph } from "./model.ts";
import type { NodeView } from "./node.ts";
import type { Steps } from "../event_loop.ts";
import type { RowResult } from "./row.ts";
import { isKnown, known, Unsupported, type Value } from "./value.ts";
import { concatenate, take } from "./evaluate/movement.ts";
import { isUnknown, Scope, type Walking } from "./scope.ts";
import { sameShape } from "../shape.ts";

/** Walks a node with bodies; `undefined` if a value in it is not known yet. */
type Flow = (walker: Walking, node: NodeView, scope: Scope) => Steps<RowResult | undefined>;

/** The function that walks an operator with bodies; `undefined` for other operators. */
export function controlFlow(domain: string, operator: string): Flow | undefined {
  return domain === "" ? FLOWS.get(operator) : undefined;
}

/** Walks a body with its inputs, and returns its outputs; `undefined` if one is not known. */
function* walkBody(
  walker: Walking,
  body: OnnxGraph,
  scope: Scope,
  prefix: string,
  inputs: readonly Value[],
): Steps<Value[] | undefined> {
  const inner = new Scope(scope, prefix, scope.opsets, body.values);
  body.inputs.forEach(({ name }, i) => {
    const value = inputs[i];
    if (value !== undefined) inner.set(name, walker.renamed(value, prefix + name));
  });
  const names = body.outputs.map(({ name }) => name);
  yield* walker.within(walker.walkGraph(body, inner, names));
  const outputs = names.map((name) => inner.find(name));
  const missing = outputs.indexOf(undefined);
  if (missing >= 0) throw new Unsupported(`no node of its body computes ${JSON.stringify(names[missing])}`);
  return outputs.some(isUnknown) ? undefined : outputs as Value[];
}

function prefixOf(node: NodeView, scope: Scope, part: string | number): string {
  return `${scope.prefix}${node.node.outputs.find((name) => name !== "")}/${part}/`;
}

/** @see https://onnx.ai/onnx/operators/onnx__If.html */
const conditional: Flow = function* (walker, node, scope) {
  const branch = (name: "then_branch" | "else_branch") =>
    walkBody(walker, node.graph(name), scope, prefixOf(node, scope, name), []);
  const condition = conditionOf(node);
  if (condition !== undefined) return yield* branch(condition ? "then_branch" : "else_branch");
  // Bodies have no side effects, so both run, and the condition selects one result.
  const chosen = yield* branch("then_branch");
  const other = yield* branch("else_branch");
  if (!chosen || !other) return undefined;
  const flag = node.reshape(node.input(0), []);
  return chosen.map((yes, i) => {
    const no = other[i]!;
    if (yes.type !== no.type || !sameShape(yes.shape, no.shape)) {
      throw new Unsupported("the condition is known only when the graph runs, and the branches have different shapes");
    }
    const operand = node.builder.where(flag, node.operand(yes), node.operand(no));
    return walker.computed(operand);
  });
};

/** The value of the condition; `undefined` if it is known only when the graph runs. */
function conditionOf(node: NodeView): boolean | undefined {
  try {
    return Boolean(node.first(node.known(0, "the condition")));
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

/** @see https://onnx.ai/onnx/operators/onnx__Loop.html */
const loop: Flow = function* (walker, node, scope) {
  const body = node.graph("body");
  const trips = node.number(0, "the trip count") ?? Infinity;
  let goesOn = node.has(1) ? Boolean(node.first(node.known(1, "the condition"))) : true;
  let carried = node.inputs.slice(2).map((_, i) => node.value(i + 2));
  const scans = body.outputs.slice(1 + carried.length).map((): Value[] => []);
  for (let i = 0; i < trips && goesOn; i++) {
    walker.step();
    const inputs = [known("int64", [], [i]), known("bool", [], [1]), ...carried];
    const outputs = yield* walkBody(walker, body, scope, prefixOf(node, scope, i), inputs);
    if (!outputs) return undefined;
    goesOn = Boolean(node.first(walker.demand(outputs[0]!, "the condition to go on")));
    carried = outputs.slice(1, 1 + carried.length);
    scans.forEach((values, k) => values.push(outputs[1 + carried.length + k]!));
  }
  const stacks = scans.map((values, k) => {
    if (values.length === 0) return emptyStack(node, body, 1 + carried.length + k);
    return stack(walker, node, values, 0);
  });
  return [...carried, ...stacks];
};

/** The scan output of a loop without iterations. */
function emptyStack(node: NodeView, body: OnnxGraph, output: number): Known {
  const { type, shape } = body.outputs[output]!;
  const sizes = shape?.filter((size) => typeof size === "number");
  if (!type || !sizes || sizes.length !== shape!.length) {
    return node.refuse("it has no iterations, and the model does not specify the shape of its output");
  }
  return { type, shape: [0, ...sizes], bytes: new Uint8Array(0) };
}

/** Stacks values along a new axis. */
function stack(walker: Walking, node: NodeView, values: readonly Value[], axis: number): Value {
  const [first] = values as [Value];
  if (values.some(({ type, shape }) => type !== first.type || !sameShape(shape, first.shape))) {
    return node.refuse("the iterations have different shapes");
  }
  const shape = first.shape.toSpliced(axis, 0, 1);
  const parts = values.filter(isKnown);
  if (parts.length === values.length) return concatenate(parts.map((part) => ({ ...part, shape })), axis);
  const operands = values.map((value) => node.reshape(node.operand(value), shape));
  return walker.computed(node.builder.concat(operands, axis));
}

/** @see https://onnx.ai/onnx/operators/onnx__Scan.html */
const scan: Flow = function* (walker, node, scope) {
  if (node.opset < 9) node.refuse("Scan of version 8, which is a different operator");
  const body = node.graph("body");
  const count = node.int("num_scan_inputs");
  const states = node.inputs.length - count;
  if (count < 1 || states < 0) node.refuse(`num_scan_inputs is ${count}, and it has ${node.inputs.length} inputs`);
  const sequences = node.inputs.slice(states).map((_, i) => {
    const value = node.value(states + i);
    const axis = node.axis(node.ints("scan_input_axes")?.[i] ?? 0, value.shape.length);
    return { value, axis, backward: node.ints("scan_input_directions")?.[i] === 1 };
  });
  const length = sequences[0]!.value.shape[sequences[0]!.axis]!;
  if (sequences.some(({ value, axis }) => value.shape[axis] !== length)) {
    node.refuse("its sequences have different lengths");
  }
  let carried = node.inputs.slice(0, states).map((_, i) => node.value(i));
  const scans = body.outputs.slice(states).map((): Value[] => []);
  for (let i = 0; i < length; i++) {
    walker.step();
    const elements = sequences.map(({ value, axis, backward }) =>
      elementAt(walker, node, value, axis, backward ? length - 1 - i : i)
    );
    const outputs = yield* walkBody(walker, body, scope, prefixOf(node, scope, i), [...carried, ...elements]);
    if (!outputs) return undefined;
    carried = outputs.slice(0, states);
    scans.forEach((values, k) => values.push(outputs[states + k]!));
  }
  return [
    ...carried,
    ...scans.map((values, k) => {
      if (values.length === 0) return emptyStack(node, body, states + k);
      const axis = node.axis(node.ints("scan_output_axes")?.[k] ?? 0, values[0]!.shape.length + 1);
      const ordered = node.ints("scan_output_directions")?.[k] === 1 ? values.toReversed() : values;
      return stack(walker, node, ordered, axis);
    }),
  ];
};

/** One element of a sequence, without the sequence's axis. */
function elementAt(walker: Walking, node: NodeView, value: Value, axis: number, i: number): Value {
  if (isKnown(value)) return take(value, axis, [i], []);
  const starts = value.shape.map((_, k) => k === axis ? i : 0);
  const sizes = value.shape.with(axis, 1);
  const part = node.builder.slice(value.operand, starts, sizes);
  return walker.computed(node.reshape(part, value.shape.toSpliced(axis, 1)));
}

const FLOWS: ReadonlyMap<string, Flow> = new Map([["If", conditional], ["Loop", loop], ["Scan", scan]]);
