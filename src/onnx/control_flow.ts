/**
 * If, Loop and Scan: bodies are unrolled, so the graph has their nodes once per iteration.
 *
 * @module
 */

import type { OnnxGraph, OnnxNode } from "./model.ts";
import type { NodeView } from "./node.ts";
import type { Steps } from "../event_loop.ts";
import type { RowResult } from "./row.ts";
import { type Operand, stack } from "./operand.ts";
import { Unsupported, unsupported } from "./errors.ts";
import { knownTensor } from "./value.ts";
import { Scope, type Walking } from "./scope.ts";
import { sameShape } from "../shape.ts";

/** Walks a control-flow node and returns its outputs, or `undefined` if a value in a body is not known yet. */
type Flow = (walker: Walking, node: NodeView, scope: Scope) => Steps<RowResult | undefined>;

/** The function that walks a control-flow operator; `undefined` for other operators. */
export function controlFlow({ domain, operator }: OnnxNode): Flow | undefined {
  return domain === "" ? FLOWS.get(operator) : undefined;
}

/**
 * Walks a body and returns its outputs, or `undefined` if one is not known yet. `part` is the branch or the iteration,
 * which makes the keys of the body's values unique.
 */
function* walkBody(
  walker: Walking,
  { node }: NodeView,
  body: OnnxGraph,
  scope: Scope,
  part: string | number,
  inputs: readonly Operand[],
): Steps<Operand[] | undefined> {
  const prefix = `${scope.prefix}${node.outputs.find((name) => name !== "")}/${part}/`;
  const inner = new Scope(scope, prefix, scope.opsets, body.values);
  const [inputNames, outputNames] = [body.inputs, body.outputs].map((infos) => infos.map(({ name }) => name));
  const names = { inputs: inputNames!, outputs: outputNames! };
  const outputs = yield* walker.walkInner(body, inner, names, inputs);
  const missing = outputs?.indexOf(undefined) ?? -1;
  if (missing >= 0) unsupported(`no node of its body computes ${JSON.stringify(names.outputs[missing])}`);
  return outputs as Operand[] | undefined;
}

/** @see https://onnx.ai/onnx/operators/onnx__If.html */
const conditional: Flow = function* (walker, node, scope) {
  const branch = (name: "then_branch" | "else_branch") => walkBody(walker, node, node.graph(name), scope, name, []);
  const condition = conditionOf(node.input(0));
  if (condition !== undefined) return yield* branch(condition ? "then_branch" : "else_branch");
  // Bodies have no side effects, so the graph can compute both branches and select one result by the condition.
  const chosen = yield* branch("then_branch");
  const other = yield* branch("else_branch");
  if (!chosen || !other) return undefined;
  const flag = node.input(0).reshape([]);
  return chosen.map((yes, i) => {
    const no = other[i]!;
    if (yes.dataType !== no.dataType || !sameShape(yes.shape, no.shape)) {
      unsupported("the condition is known only when the graph runs, and the branches have different shapes");
    }
    return flag.where(yes, no);
  });
};

/** The value of the condition; `undefined` if it is known only when the graph runs. */
function conditionOf(input: Operand): boolean | undefined {
  try {
    return Boolean(input.number("the condition"));
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

/** @see https://onnx.ai/onnx/operators/onnx__Loop.html */
const loop: Flow = function* (walker, node, scope) {
  const body = node.graph("body");
  const [count, condition, ...initial] = node.inputs;
  const trips = count?.number("the trip count") ?? Infinity;
  let goesOn = condition ? Boolean(condition.number("the condition")) : true;
  let carried = initial.map((_, i) => node.input(i + 2));
  const scans = body.outputs.slice(1 + carried.length).map((): Operand[] => []);
  for (let i = 0; i < trips && goesOn; i++) {
    walker.step();
    const inputs = [
      node.operand(knownTensor("int64", [], [i])),
      node.operand(knownTensor("bool", [], [1])),
      ...carried,
    ];
    const outputs: Operand[] | undefined = yield* walkBody(walker, node, body, scope, i, inputs);
    if (!outputs) return undefined;
    goesOn = Boolean(outputs[0]!.number("the next condition"));
    carried = outputs.slice(1, 1 + carried.length);
    scans.forEach((values, k) => values.push(outputs[1 + carried.length + k]!));
  }
  const stacks = scans.map((values, k) => {
    return values.length === 0 ? emptyStack(node, body, 1 + carried.length + k) : stacked(values, 0);
  });
  return [...carried, ...stacks];
};

/** The scan output of a loop without iterations: a tensor without elements. */
function emptyStack(node: NodeView, body: OnnxGraph, output: number): Operand {
  const { type, shape } = body.outputs[output]!;
  const sizes = shape?.filter((size) => typeof size === "number");
  if (!type || !sizes || sizes.length !== shape!.length) {
    return unsupported("it has no iterations, and the model does not declare the shape of its output");
  }
  return node.operand({ type, shape: [0, ...sizes], bytes: new Uint8Array(0) });
}

/** Stacks the values of all iterations along a new axis. */
function stacked(values: readonly Operand[], axis: number): Operand {
  const [first] = values as [Operand];
  if (values.some(({ dataType, shape }) => dataType !== first.dataType || !sameShape(shape, first.shape))) {
    unsupported("the results of its iterations have different shapes");
  }
  return stack(values, axis);
}

/** @see https://onnx.ai/onnx/operators/onnx__Scan.html */
const scan: Flow = function* (walker, node, scope) {
  if (node.opset < 9) unsupported("Scan of version 8 is a different operator");
  const body = node.graph("body");
  const count = node.int("num_scan_inputs");
  const states = node.inputs.length - count;
  if (count < 1 || states < 0) {
    unsupported(`num_scan_inputs is ${count}, but the node has ${node.inputs.length} inputs`);
  }
  const sequences = node.inputs.slice(states).map((_, i) => {
    const value = node.input(states + i);
    const axis = value.axis(node.ints("scan_input_axes")?.[i] ?? 0);
    return { value, axis, backward: node.ints("scan_input_directions")?.[i] === 1 };
  });
  const length = sequences[0]!.value.shape[sequences[0]!.axis]!;
  if (sequences.some(({ value, axis }) => value.shape[axis] !== length)) {
    unsupported("the scanned inputs have different lengths");
  }
  let carried = node.inputs.slice(0, states).map((_, i) => node.input(i));
  const scans = body.outputs.slice(states).map((): Operand[] => []);
  for (let i = 0; i < length; i++) {
    walker.step();
    const elements = sequences.map(({ value, axis, backward }) => value.pick(axis, backward ? length - 1 - i : i));
    const outputs: Operand[] | undefined = yield* walkBody(walker, node, body, scope, i, [...carried, ...elements]);
    if (!outputs) return undefined;
    carried = outputs.slice(0, states);
    scans.forEach((values, k) => values.push(outputs[states + k]!));
  }
  return [
    ...carried,
    ...scans.map((values, k) => {
      if (values.length === 0) return emptyStack(node, body, states + k);
      const axis = values[0]!.axis(node.ints("scan_output_axes")?.[k] ?? 0, values[0]!.rank + 1);
      return stacked(node.ints("scan_output_directions")?.[k] === 1 ? values.toReversed() : values, axis);
    }),
  ];
};

const FLOWS: ReadonlyMap<string, Flow> = new Map([["If", conditional], ["Loop", loop], ["Scan", scan]]);
