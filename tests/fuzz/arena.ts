/**
 * Where hostile calls are made, and what must hold of each of them: it may return, or throw a TypeError, an exception of
 * the standard or the caller's own value; and everything can be used afterwards as if nothing had happened.
 *
 * @module
 */

import * as api from "../../mod.ts";
import { builderSlot } from "../../src/api/state.ts";
import { callSource, type HostileCall, randomHostileCall } from "./calls.ts";
import { PRELUDE } from "./hostile.ts";
import type { Types } from "./programs.ts";

/** How calls ended. */
export interface CallTally {
  calls: number;
  returned: number;
  typeErrors: number;
  domExceptions: number;
  /** What the caller's own code threw. */
  own: number;
  /** The stack had no room. */
  exhausted: number;
  /** The arguments could not even be made. */
  unmade: number;
  /** How often everything was looked at and used. */
  checks: number;
}

/** Nothing yet. */
export function newCallTally(): CallTally {
  return { calls: 0, returned: 0, typeErrors: 0, domExceptions: 0, own: 0, exhausted: 0, unmade: 0, checks: 0 };
}

/** A call that went wrong. */
export interface CallFailure {
  readonly seed: number;
  readonly text: string;
  readonly source: string;
}

const EXCEPTIONS = ["InvalidStateError", "NotSupportedError", "OperationError", "UnknownError"];
/** After so many calls everything is used. */
const CHECK_EVERY = 50;

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (
  ...args: unknown[]
) => Promise<(source: string) => unknown>;

/** A world in which calls are made; all variables of the prelude can be reached by their names. */
interface Arena {
  evaluate(source: string): unknown;
  /** Called by a call's text when its arguments are made. */
  mark: () => void;
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

/** Makes the calls of consecutive seeds. Gives those that went wrong. */
export async function runCalls(
  from: number,
  count: number,
  types: Types,
  tally: CallTally,
  started: (seed: number) => void = () => {},
): Promise<CallFailure[]> {
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
    const made = seed + 1 - from;
    if (made % CHECK_EVERY !== 0 && made !== count) continue;
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

/** The call that does the damage alone. */
async function findCulprit(first: number, last: number, types: Types): Promise<number | undefined> {
  for (let seed = first; seed <= last; seed++) {
    const arena = await openArena();
    await makeCall(arena, randomHostileCall(seed, types), newCallTally());
    if (await checkArena(arena) !== undefined) return seed;
    closeArena(arena);
  }
  return undefined;
}

/** Makes a call; says what is wrong with how it ended. */
async function makeCall(arena: Arena, call: HostileCall, tally: CallTally): Promise<string | undefined> {
  const { evaluate } = arena;
  tally.calls++;
  let before: string | undefined;
  evaluate("meddled = 0; ruined = false; thrown.length = 0;");
  arena.mark = () => before = builderState(arena, 0);
  try {
    const result: unknown = evaluate(`(function () { ${callSource(call, "mark();")} })()`);
    await settle(arena, call, result instanceof Promise ? await result : result);
    tally.returned++;
    return undefined;
  } catch (error) {
    if (before === undefined) {
      tally.unmade++;
      return undefined;
    }
    const verdict = judge(arena, call, error);
    if (!(verdict in tally)) return verdict;
    tally[verdict as keyof CallTally]++;
    const after = builderState(arena, Number(evaluate("meddled")));
    // Half of a call's work may be done when the stack is exhausted.
    const isExempt = call.slack !== undefined || evaluate("ruined");
    return after === before || isExempt ? undefined : `the builder has changed from ${before} to ${after}`;
  } finally {
    if (evaluate("ruined")) await evaluate("renew()");
  }
}

/** How many inputs, constants and nodes a builder has, without those that the caller's own getters added. */
function builderState({ evaluate }: Arena, meddled: number): string {
  const state = builderSlot.get(evaluate("builder") as object);
  const size = state.inputs.length + state.constants.length + state.nodes.length - meddled;
  return `${size} values${state.hasBuilt ? ", built" : ""}`;
}

/** Cleans up after a call that was valid after all. */
async function settle({ evaluate }: Arena, { callee }: HostileCall, result: unknown): Promise<void> {
  const isOwn = callee.startsWith("context.create") || callee.endsWith("createContext") || callee === "builder.build";
  if (isOwn && typeof result === "object" && result !== null && "destroy" in result) (result as api.MLTensor).destroy();
  if (callee === "builder.build") await evaluate("renew()");
  if (["context.writeTensor", "context.dispatch"].includes(callee)) await evaluate("fill()");
}

/** The member of the tally that counts an exception, or why it must not have been thrown. */
function judge({ evaluate }: Arena, { slack }: HostileCall, error: unknown): string {
  const own = evaluate("thrown") as unknown[];
  if (own.some((value) => Object.is(value, error))) return "own";
  if (error instanceof TypeError) return "typeErrors";
  if (error instanceof DOMException && EXCEPTIONS.includes(error.name)) return "domExceptions";
  if (error instanceof RangeError && slack !== undefined && error.message.includes("call stack")) return "exhausted";
  return `threw ${Deno.inspect(error)}`;
}

/** Uses a tensor, a graph, a builder and a context; says what is wrong with what comes out. */
async function checkArena({ evaluate }: Arena): Promise<string | undefined> {
  try {
    return await (evaluate(CHECK) as Promise<string | undefined>);
  } catch (error) {
    return `nothing works any more: ${Deno.inspect(error)}`;
  }
}

const CHECK = `(async () => {
  const read = async (tensor) => (new Float32Array(await context.readTensor(tensor))).join();
  const held = await read(tensor);
  if (held !== "1,2,3,4,5,6") return "the tensor holds " + held;
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

/** A program that makes the call of a seed alone, to be pasted into a file. */
export function callProgram(seed: number, types: Types): string {
  return [
    `import { ${Object.keys(api).join(", ")} } from "@webnn/deno";`,
    PRELUDE,
    "await renew();",
    `const made = (function () {\n${callSource(randomHostileCall(seed, types))}\n})();`,
    "console.log(await made);",
  ].join("\n");
}
