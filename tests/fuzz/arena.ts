/**
 * Makes hostile calls, and checks each of them: it may return, or throw a TypeError, an exception of the standard or
 * the caller's own value. Afterwards, all objects must work as before.
 *
 * @module
 */

import * as api from "../../mod.ts";
import { builderSlot } from "../../src/api/state.ts";
import { callSource, type HostileCall, randomHostileCall } from "./calls.ts";
import { PRELUDE } from "./hostile.ts";
import type { Types } from "./programs.ts";

/** How many calls ended in each way. */
export interface CallTally {
  calls: number;
  returned: number;
  typeErrors: number;
  domExceptions: number;
  /** Calls that threw a value of the caller's own code. */
  own: number;
  /** Calls that exhausted the stack. */
  exhausted: number;
  /** Calls that were not made, because creating their arguments failed. */
  notMade: number;
  /** How often all objects were checked. */
  checks: number;
}

/** A tally of no calls. */
export function newCallTally(): CallTally {
  return { calls: 0, returned: 0, typeErrors: 0, domExceptions: 0, own: 0, exhausted: 0, notMade: 0, checks: 0 };
}

/** A call with a wrong outcome. */
export interface CallFailure {
  readonly seed: number;
  readonly text: string;
  readonly source: string;
}

const EXCEPTIONS = ["InvalidStateError", "NotSupportedError", "OperationError", "UnknownError"];
/** All objects are checked after this number of calls. */
const CHECK_EVERY = 50;

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (
  ...args: unknown[]
) => Promise<(source: string) => unknown>;

/** The scope of the calls: source text that is evaluated in it can use all variables of the prelude. */
interface Arena {
  evaluate(source: string): unknown;
  /** The source of a call runs this after creating the arguments. */
  mark: () => void;
}

/**
 * Reads all globals. Deno loads the modules of some when they are first used. A stack overflow during that, as in
 * `{ ...globalThis }` at the end of a deep recursion, ends the process, with this module or without it.
 */
function loadGlobals(): void {
  void { ...globalThis };
}

async function openArena(): Promise<Arena> {
  const arena: Arena = { evaluate: () => {}, mark: () => {} };
  const names = Object.keys(api);
  const body = `${PRELUDE}\nawait renew();\nreturn (source) => eval(source);`;
  const prelude = new AsyncFunction(...names, "mark", body);
  arena.evaluate = await prelude(...Object.values(api), () => arena.mark());
  return arena;
}

function closeArena({ evaluate }: Arena): void {
  evaluate("context.destroy(); elsewhere.destroy();");
}

/** Makes the calls of consecutive seeds. Returns those with a wrong outcome. */
export async function runCalls(
  from: number,
  count: number,
  types: Types,
  tally: CallTally,
  started: (seed: number) => void = () => {},
): Promise<CallFailure[]> {
  loadGlobals();
  const failures: CallFailure[] = [];
  let arena = await openArena();
  const fail = async (seed: number, text: string) => {
    failures.push({ seed, text, source: callProgram(seed, types) });
    closeArena(arena);
    arena = await openArena();
  };
  for (let seed = from; seed < from + count; seed++) {
    started(seed);
    const text = await makeCall(arena, randomHostileCall(seed, types), tally);
    if (text !== undefined) await fail(seed, text);
    const done = seed + 1 - from;
    if (done % CHECK_EVERY !== 0 && done !== count) continue;
    tally.checks++;
    const damage = await checkArena(arena);
    if (damage !== undefined) {
      const culprit = await findCulprit(Math.max(from, seed + 1 - CHECK_EVERY), seed, types);
      await fail(culprit ?? seed, culprit === undefined ? `one of the ${CHECK_EVERY} calls before: ${damage}` : damage);
    }
  }
  closeArena(arena);
  return failures;
}

/** The first of several calls that causes damage when it is the only one. */
async function findCulprit(first: number, last: number, types: Types): Promise<number | undefined> {
  for (let seed = first; seed <= last; seed++) {
    const arena = await openArena();
    await makeCall(arena, randomHostileCall(seed, types), newCallTally());
    if (await checkArena(arena) !== undefined) return seed;
    closeArena(arena);
  }
  return undefined;
}

/** Makes a call. Returns what is wrong with its outcome; `undefined` if nothing is. */
async function makeCall(arena: Arena, call: HostileCall, tally: CallTally): Promise<string | undefined> {
  const { evaluate } = arena;
  tally.calls++;
  let before: string | undefined;
  evaluate("meddled = 0; ruined = false; thrown.length = 0;");
  arena.mark = () => before = builderState(arena, 0);
  try {
    const result: unknown = evaluate(`(function () { ${callSource(call, "mark();")} })()`);
    await cleanUp(arena, call, result instanceof Promise ? await result : result);
    tally.returned++;
    return undefined;
  } catch (error) {
    if (before === undefined) {
      tally.notMade++;
      return undefined;
    }
    const kind = classify(arena, call, error);
    if (!(kind in tally)) return kind;
    tally[kind as keyof CallTally]++;
    const after = builderState(arena, Number(evaluate("meddled")));
    // A call that exhausts the stack may have done a part of its work.
    const isExempt = call.slack !== undefined || evaluate("ruined");
    return after === before || isExempt ? undefined : `the builder has changed from ${before} to ${after}`;
  } finally {
    if (evaluate("ruined")) await evaluate("renew()");
  }
}

/** The number of inputs, constants and nodes of a builder, without those that the caller's own getters added. */
function builderState({ evaluate }: Arena, meddled: number): string {
  const state = builderSlot.get(evaluate("builder") as object);
  const size = state.inputs.length + state.constants.length + state.nodes.length - meddled;
  return `${size} values${state.hasBuilt ? ", built" : ""}`;
}

/** Cleans up after a call that was valid. */
async function cleanUp({ evaluate }: Arena, { callee }: HostileCall, result: unknown): Promise<void> {
  const isOwn = callee.startsWith("context.create") || callee.endsWith("createContext") || callee === "builder.build";
  if (isOwn && typeof result === "object" && result !== null && "destroy" in result) (result as api.MLTensor).destroy();
  if (callee === "builder.build") await evaluate("renew()");
  if (["context.writeTensor", "context.dispatch"].includes(callee)) await evaluate("fill()");
}

/** The name of the tally's member for an exception; for a wrong exception, a text about it. */
function classify({ evaluate }: Arena, { slack }: HostileCall, error: unknown): string {
  const own = evaluate("thrown") as unknown[];
  if (own.some((value) => Object.is(value, error))) return "own";
  if (error instanceof TypeError) return "typeErrors";
  if (error instanceof DOMException && EXCEPTIONS.includes(error.name)) return "domExceptions";
  if (error instanceof RangeError && slack !== undefined && error.message.includes("call stack")) return "exhausted";
  return `threw ${Deno.inspect(error)}`;
}

/**
 * Uses a tensor, a graph, a builder and a context. Returns what is wrong with the results; `undefined` if nothing is.
 */
async function checkArena({ evaluate }: Arena): Promise<string | undefined> {
  try {
    return await (evaluate(CHECK) as Promise<string | undefined>);
  } catch (error) {
    return `later calls fail: ${Deno.inspect(error)}`;
  }
}

const CHECK = `(async () => {
  const read = async (tensor) => (new Float32Array(await context.readTensor(tensor))).join();
  const elements = await read(tensor);
  if (elements !== "1,2,3,4,5,6") return "the tensor contains " + elements;
  context.dispatch(graph, { x: tensor }, { y: output });
  const doubled = await read(output);
  if (doubled !== "2,4,6,8,10,12") return "the graph computes " + doubled;
  const product = await builder.build({ y: builder.mul(builder.add(sum, x), x) });
  context.dispatch(product, { x: tensor }, { y: output });
  product.destroy();
  const multiplied = await read(output);
  if (multiplied !== "3,12,27,48,75,108") return "the builder's graph computes " + multiplied;
  await renew();
})()`;

/** The source of a program that makes only the call of a seed. */
export function callProgram(seed: number, types: Types): string {
  return [
    `import { ${Object.keys(api).join(", ")} } from "@webnn/deno";`,
    PRELUDE,
    "await renew();",
    `const result = (function () {\n${callSource(randomHostileCall(seed, types))}\n})();`,
    "console.log(await result);",
  ].join("\n");
}
