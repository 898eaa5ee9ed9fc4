/**
 * Hostile calls as source text.
 *
 * @module
 */

import { type OperatorName, operators } from "../../src/ops/operators.ts";
import { type Random, random } from "../../support/random.ts";
import { hostile, hostileBuffer, hostileThis, INTERFACES, property } from "./hostile.ts";
import { argumentsOf, leafSource, randomCall, type Types } from "./programs.ts";

/** A call: statements that prepare it, and expressions for its parts. */
export interface HostileCall {
  readonly setup: readonly string[];
  /** The arguments, evaluated before the call. */
  readonly args: readonly string[];
  /** The expression before the parentheses. */
  readonly callee: string;
  /** If present, the call runs with a nearly full stack, which has room for this number of nested calls. */
  readonly slack?: number;
}

/** The members of an interface that are not operators. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  ML: ["createContext"],
  MLContext: [
    "accelerated",
    "lost",
    "createTensor",
    "createConstantTensor",
    "writeTensor",
    "readTensor",
    "dispatch",
    "opSupportLimits",
    "destroy",
    "createExportableTensor",
    "exportToGPU",
  ],
  MLGraphBuilder: ["input", "constant", "build", "add", "concat", "split", "lstm"],
  MLOperand: ["dataType", "shape"],
  MLTensor: ["dataType", "shape", "readable", "writable", "constant", "destroy"],
  MLGraph: ["devices", "destroy"],
};

/** Detaches the buffer while a tensor is read into it. */
const READ_AND_TRANSFER =
  "(function (...args) { const read = context.readTensor(...args); victim.buffer.transfer(); return read; })";

/** Valid calls. Some of their arguments will be changed. */
const TEMPLATES: readonly (readonly [callee: string, ...args: string[]])[] = [
  ["builder.input", '"name"', "described"],
  ["builder.constant", "described", "new Float32Array(6)"],
  ["builder.constant", '"float32"', "1"],
  ["builder.constant", "constantTensor"],
  ["builder.build", "{ y: sum }"],
  ["context.createTensor", "both"],
  ["context.createConstantTensor", "described", "new Float32Array(6)"],
  ["context.writeTensor", "tensor", "new Float32Array(6)"],
  ["context.readTensor", "tensor"],
  ["context.readTensor", "tensor", "new Float32Array(6)"],
  [READ_AND_TRANSFER, "tensor", "victim"],
  ["context.dispatch", "graph", "{ x: tensor }", "{ y: output }"],
  ["context.dispatch", "graph", "{ x: spare }", "{ y: output }"],
  ["context.opSupportLimits"],
  ["context.exportToGPU", "tensor"],
  ["context.createExportableTensor", "both", "{}"],
  ["ml.createContext", "{}"],
  ["createContext", "options"],
  ["contextInfo", "context"],
  ["new MLGraphBuilder", "context"],
  ["MLGraphBuilder", "context"],
];

/** Arguments that may be replaced by an object literal, with the members of that literal. */
const LITERALS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  described: { dataType: '"float32"', shape: "[2, 3]" },
  both: { dataType: '"float32"', shape: "[2, 3]", readable: "true", writable: "true" },
  options: { device: '"cpu"', threads: "1", powerPreference: '"default"', accelerated: "false", library: "undefined" },
  "{ x: tensor }": { x: "tensor" },
  "{ x: spare }": { x: "spare" },
  "{ y: output }": { y: "output" },
  "{ y: sum }": { y: "sum" },
  "{}": { deviceType: '"cpu"', powerPreference: '"default"' },
};

/** The hostile call of a seed. */
export function randomHostileCall(seed: number, types: Types): HostileCall {
  const next = random(seed);
  const pick = next();
  const call = pick < 0.5 ? operatorCall(next, types) : pick < 0.85 ? templateCall(next) : wrongThis(next);
  return next() < 0.02 ? { ...call, slack: next.integer(0, 1000) } : call;
}

/** A valid call of an operator with some changes. */
function operatorCall(next: Random, types: Types): HostileCall {
  const operator = next.pick(Object.keys(operators) as OperatorName[]);
  const { leaves, steps } = randomCall(next.integer(0, 2 ** 32 - 1), types, operator);
  const { args, options } = argumentsOf(steps[0]!);
  const changed = change(next, [...args, literal(next, options)]);
  return { setup: leaves.map(leafSource), callee: `builder.${operator}`, args: changed };
}

function templateCall(next: Random): HostileCall {
  const [callee, ...args] = next.pick(TEMPLATES);
  const meddled = args.map((arg) => LITERALS[arg] && next() < 0.6 ? literal(next, LITERALS[arg]!) : arg);
  return { setup: [], callee, args: change(next, meddled) };
}

/** A method with a wrong `this`, an attribute of a wrong object, or an interface as a function. */
function wrongThis(next: Random): HostileCall {
  const name = next.pick(INTERFACES);
  if (next() < 0.1) return { setup: [], callee: `new ${name}`, args: change(next, ["context"]) };
  const member = next.pick(MEMBERS[name]!);
  const receiver = hostileThis(next, name);
  if (next() < 0.5) return { setup: [], callee: "Reflect.get", args: [`${name}.prototype`, `"${member}"`, receiver] };
  const method = `Object.getOwnPropertyDescriptor(${name}.prototype, "${member}")`;
  return {
    setup: [],
    callee: "Reflect.apply",
    args: [`${method}.value ?? ${method}.get`, receiver, `[${hostile(next)}]`],
  };
}

/** The arguments with one or two replaced, left out or added. */
function change(next: Random, args: readonly string[]): string[] {
  const changed = [...args];
  for (let count = next.integer(1, 2); count > 0; count--) {
    const i = next.integer(0, changed.length);
    const pick = next();
    if (pick < 0.1) return changed.slice(0, i);
    if (i === changed.length) changed.push(hostile(next));
    else if (changed[i]!.startsWith("[") && pick < 0.5) changed[i] = changeItem(next, changed[i]!);
    else if (changed[i]!.includes("Array(") && pick < 0.9) changed[i] = hostileBuffer(next);
    else if (!changed[i]!.startsWith("{") || pick < 0.3) changed[i] = hostile(next);
  }
  return changed;
}

/** A list with one of its items replaced. */
function changeItem(next: Random, list: string): string {
  const items = list.slice(1, -1).split(", ");
  return `[${items.with(next.integer(0, items.length - 1), hostile(next)).join(", ")}]`;
}

/** An object literal with some hostile properties. */
function literal(next: Random, members: Readonly<Record<string, string>>): string {
  const properties = Object.entries({ ...members, ...(next() < 0.3 ? { label: hostile(next) } : {}) });
  const list = properties.map(([name, value]) => {
    const pick = next();
    if (pick < 0.5) return `${name}: ${value}`;
    return property(next, name, pick < 0.75 ? value : hostile(next));
  });
  // A literal may set its prototype once.
  const kept = list.filter((text, i) =>
    !text.startsWith("__proto__") || list.findIndex((t) => t.startsWith("__proto__")) === i
  );
  return `{ ${kept.join(", ")} }`;
}

/** The source text of the call. `mark` is a statement between the arguments and the call. */
export function callSource({ setup, args, callee, slack }: HostileCall, mark = ""): string {
  const call = `${callee}(...args)`;
  return [
    "victim = new Float32Array(6);",
    ...setup,
    `const args = [${args.join(", ")}];`,
    ...(mark === "" ? [] : [mark]),
    `return ${slack === undefined ? call : `deep(() => ${call}, ${slack})`};`,
  ].join("\n");
}
