/**
 * Values that no normal program would pass, as source text, so that a failing call can be printed as it ran.
 *
 * @module
 */

import type { Random } from "../../support/random.ts";

/** The scope of the calls. It runs once for many calls, and is printed with a call that fails. */
export const PRELUDE = `const options = { device: "cpu", threads: 1 };
const context = await createContext(options);
const elsewhere = await createContext(options);
const lostContext = await createContext(options);
lostContext.destroy();
const described = { dataType: "float32", shape: [2, 3] };
async function double(context) {
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", described);
  return [await builder.build({ y: builder.add(x, x) }), builder];
}
const both = { ...described, readable: true, writable: true };
const [graph, spent] = await double(context);
const [otherGraph] = await double(elsewhere);
const [destroyedGraph] = await double(context);
destroyedGraph.destroy();
const tensor = await context.createTensor(both);
const output = await context.createTensor(both);
const plainTensor = await context.createTensor(described);
const otherTensor = await elsewhere.createTensor(both);
const destroyedTensor = await context.createTensor(both);
destroyedTensor.destroy();
const constantTensor = await context.createConstantTensor(described, new Float32Array(6));
let builder, x, sum, stranger, victim, spare;
async function renew() {
  spare?.destroy();
  spare = await context.createTensor(both);
  builder = new MLGraphBuilder(context);
  x = builder.input("x", described);
  sum = builder.add(x, x);
  stranger = new MLGraphBuilder(context).input("x", described);
}
function fill() {
  context.writeTensor(tensor, Float32Array.of(1, 2, 3, 4, 5, 6));
}
fill();
let meddled = 0;
function meddle(change) {
  change();
  meddled++;
}
let ruined = false;
function ruin(change) {
  ruined = true;
  change();
}
const thrown = [];
function fail(value = new Error("the caller's own")) {
  thrown.push(value);
  return value;
}
function always(make) {
  const names = ["get", "has", "ownKeys", "getOwnPropertyDescriptor", "getPrototypeOf", "apply", "construct", "set"];
  return Object.fromEntries(names.map((name) => [name, make]));
}
function revoked(target) {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}
function detached(length) {
  const buffer = new ArrayBuffer(length);
  const view = new Float32Array(buffer);
  buffer.transfer();
  return view;
}
function cyclic(object) {
  object.shape = object.label = object.self = object[0] = object;
  return object;
}
function shifting(first, then) {
  let count = 0;
  return { get [Symbol.toPrimitive]() { return () => count++ === 0 ? first : then; } };
}
function deep(call, slack) {
  let depth = 0;
  const descend = (deepest) => ++depth >= deepest ? call() : descend(deepest);
  try { descend(Infinity); } catch {}
  const deepest = depth - slack;
  depth = 0;
  return descend(deepest);
}`;

const PRIMITIVES = [
  "undefined",
  "null",
  "true",
  "false",
  "NaN",
  "0",
  "-0",
  "1",
  "2",
  "-1",
  "1.5",
  "Infinity",
  "-Infinity",
  "2 ** 31",
  "2 ** 32",
  "2 ** 53",
  "1e308",
  "5e-324",
  "0n",
  "1n",
  "-1n",
  "2n ** 64n",
  "2n ** 70n",
  '""',
  '"\\ud800"',
  '"x".repeat(1e5)',
  '"float32"',
  '"int4"',
  '"__proto__"',
  '"12"',
  "Symbol()",
  "Symbol.iterator",
];

const OBJECTS = [
  "{}",
  "[]",
  "[[]]",
  "[undefined]",
  "[2, 3]",
  "new Array(3)",
  "new Array(1e4)",
  "new Array(1e4).fill(1)",
  "Object.create(null)",
  "Object.freeze({})",
  "new Date(NaN)",
  "/x/",
  "new Set([2, 3])",
  "new Map([[1, 2]])",
  'new String("12")',
  "Object(1n)",
  "new Number(2)",
  "globalThis",
  "Promise.resolve()",
  "new WeakRef({})",
  "() => 1",
  "class {}",
  "function* () {}",
  "async () => {}",
  "arguments",
  "cyclic({})",
  "cyclic([])",
  "cyclic(() => 1)",
];

const TRAPS = [
  "new Proxy({}, {})",
  "new Proxy([2, 3], {})",
  "new Proxy(x, {})",
  "new Proxy(tensor, {})",
  "new Proxy(() => {}, {})",
  "new Proxy({}, always(() => { throw fail(); }))",
  "new Proxy([], always(() => { throw fail(1); }))",
  "new Proxy({}, always(() => undefined))",
  "new Proxy({}, { ownKeys: () => ['x', 'x'] })",
  "new Proxy({}, { ownKeys: () => ['x'], getOwnPropertyDescriptor: () => { throw fail(null); } })",
  "revoked({})",
  "revoked([])",
  "revoked(() => {})",
  "revoked(x)",
  "{ valueOf() { throw fail(); } }",
  "{ toString() { throw fail(Symbol('own')); } }",
  "{ [Symbol.toPrimitive]() { throw fail(undefined); } }",
  "{ [Symbol.toPrimitive]: 1 }",
  "{ [Symbol.toPrimitive]: () => ({}) }",
  "{ get [Symbol.toPrimitive]() { throw fail('text'); } }",
  "{ valueOf: () => ({}), toString: () => [] }",
  "{ valueOf: () => 3 }",
  "{ valueOf: () => 1n }",
  "{ valueOf: () => Symbol() }",
  "shifting(1, 2 ** 32)",
  "shifting('float32', 'int8')",
  "{ [Symbol.iterator]() { throw fail(); } }",
  "{ get [Symbol.iterator]() { throw fail(NaN); } }",
  "{ *[Symbol.iterator]() { yield 1; throw fail(new RangeError('own')); } }",
  "{ *[Symbol.iterator]() { yield x; yield x; } }",
  "{ *[Symbol.iterator]() { yield 2; yield 3; } }",
  "{ [Symbol.iterator]: 1 }",
  "{ [Symbol.iterator]: null }",
  "{ [Symbol.iterator]: () => 1 }",
  "{ [Symbol.iterator]: () => ({ next: 1 }) }",
  "{ [Symbol.iterator]: () => ({ next: () => 1 }) }",
  "{ [Symbol.iterator]: () => ({ next: () => ({ get done() { throw fail(); } }) }) }",
  "{ [Symbol.iterator]: () => ({ next: () => ({ get value() { throw fail(); } }) }) }",
  "{ get then() { throw fail(); } }",
  "{ then(resolve, reject) { reject(fail()); } }",
];

const BUFFERS = [
  "victim",
  "victim.buffer",
  "new Float32Array(6)",
  "new Float32Array(5)",
  "new Float32Array(0)",
  "new Float64Array(3)",
  "new Int32Array(6)",
  "new BigInt64Array(3)",
  "new Uint8ClampedArray(24)",
  "new Uint16Array(12)",
  "new Float32Array(7).subarray(1)",
  "new Uint8Array(25).subarray(1)",
  "new DataView(new ArrayBuffer(24))",
  "new ArrayBuffer(24)",
  "new ArrayBuffer(0)",
  "detached(24)",
  "detached(24).buffer",
  "new ArrayBuffer(24, { maxByteLength: 48 })",
  "new Float32Array(new ArrayBuffer(24, { maxByteLength: 48 }))",
  "new SharedArrayBuffer(24)",
  "new Float32Array(new SharedArrayBuffer(24))",
  "new SharedArrayBuffer(24, { maxByteLength: 48 })",
  "new WebAssembly.Memory({ initial: 1 }).buffer",
  "Object.defineProperty(new Float32Array(6), 'byteLength', { value: 2 ** 40 })",
  "Object.defineProperty(new Float32Array(5), 'buffer', { get() { throw fail(); } })",
  "Object.setPrototypeOf(new Float32Array(6), null)",
  "Object.setPrototypeOf(new Float32Array(6), BigInt64Array.prototype)",
  "{ byteLength: 24 }",
];

/** Objects of the API, by the interface that they implement or imitate. */
const PLATFORM: Readonly<Record<string, readonly string[]>> = {
  ML: ["ml", "ML.prototype", "Object.create(ml)"],
  MLContext: ["context", "elsewhere", "lostContext", "MLContext.prototype", "Object.create(context)"],
  MLGraphBuilder: ["builder", "spent", "MLGraphBuilder.prototype", "Object.create(builder)"],
  MLOperand: ["x", "stranger", "MLOperand.prototype", "Object.create(x)", "Object.setPrototypeOf({}, x)"],
  MLTensor: [
    "tensor",
    "spare",
    "plainTensor",
    "otherTensor",
    "destroyedTensor",
    "constantTensor",
    "MLTensor.prototype",
    "Object.create(tensor)",
  ],
  MLGraph: ["graph", "otherGraph", "destroyedGraph", "MLGraph.prototype", "Object.create(graph)"],
};

/** The interfaces of the API. */
export const INTERFACES: readonly string[] = Object.keys(PLATFORM);

/**
 * What getters do before they return their value: they change something that the call uses. `meddle` counts what is
 * added to the builder; `ruin` marks changes after which the objects must be created again.
 */
const MEDDLING = [
  "victim.buffer.transfer()",
  "meddle(() => builder.relu(x))",
  "meddle(() => builder.constant(described, victim))",
  "ruin(() => builder.build({ y: sum }).catch(() => {}))",
  "ruin(() => spare.destroy())",
  "context.writeTensor(output, new Float32Array(6))",
  "context.readTensor(output).catch(() => {})",
];

/** Names of members that the API reads from objects. */
const MEMBERS = [
  "axes",
  "axis",
  "bias",
  "dataType",
  "deviceType",
  "label",
  "layout",
  "length",
  "mode",
  "padding",
  "readable",
  "scale",
  "shape",
  "strides",
  "threads",
  "value",
  "writable",
  "x",
  "y",
];

/** A hostile value. */
export function hostile(next: Random): string {
  const pick = next();
  if (pick < 0.3) return next.pick(PRIMITIVES);
  if (pick < 0.45) return next.pick(OBJECTS);
  if (pick < 0.65) return next.pick(TRAPS);
  if (pick < 0.75) return next.pick(BUFFERS);
  if (pick < 0.85) return next.pick(PLATFORM[next.pick(INTERFACES)]!);
  if (pick < 0.9) return `[${next.pick(["1, ", "x, ", "", ", "])}${hostile(next)}]`;
  return member(next, next.pick(MEMBERS), hostile(next));
}

/** A hostile buffer, or something else. */
export function hostileBuffer(next: Random): string {
  return next() < 0.8 ? next.pick(BUFFERS) : hostile(next);
}

/** A wrong `this` for the members of an interface. */
export function hostileThis(next: Random, interfaceName: string): string {
  const others = INTERFACES.filter((name) => name !== interfaceName).flatMap((name) => PLATFORM[name]!);
  const pretenders = PLATFORM[interfaceName]!.filter((source) => source.includes("prototype") || source.includes("("));
  return next.pick([...PRIMITIVES, ...OBJECTS, ...TRAPS, ...others, ...pretenders, ...pretenders]);
}

/** An object with one member: plain, inherited, or a getter that throws or changes something. */
function member(next: Random, name: string, value: string): string {
  return `{ ${property(next, name, value)} }`;
}

/** A property of an object literal. Sometimes it is a getter that throws, or that changes something first. */
export function property(next: Random, name: string, value: string): string {
  const pick = next();
  const thrown = next.pick(["", "1", "undefined", "new DOMException('own', 'DataError')"]);
  if (pick < 0.15) return `get ${name}() { throw fail(${thrown}); }`;
  if (pick < 0.4) return `get ${name}() { ${next.pick(MEDDLING)}; return ${value}; }`;
  if (pick < 0.5) return `__proto__: { ${name}: ${value} }`;
  return `${name}: ${value}`;
}
