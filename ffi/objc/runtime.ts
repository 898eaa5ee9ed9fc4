/**
 * The Objective-C runtime: classes, selectors, messages, pools and the counting of references.
 *
 * Two things decide over life and death here. An Objective-C exception ends the process, and cannot be caught: nobody may
 * send a message that is not understood, or pass nil where it is not allowed. And an object that is autoreleased without
 * a pool is never freed: what makes objects runs inside {@linkcode Runtime.pooled}.
 *
 * @module
 */

import { cString, type Pointer, readCString } from "../memory.ts";
import { call } from "./call.ts";
import { type Completions, createCompletions } from "./completions.ts";
import type { Symbols } from "./frameworks.ts";

/** Sends a message: receiver, selector, arguments. */
export type Send = (receiver: Deno.PointerValue, selector: Pointer, ...args: readonly unknown[]) => unknown;

/** The Objective-C runtime of this process. */
export interface Runtime {
  /** The class of this name, if there is one. */
  classNamed(name: string): Deno.PointerValue;
  /** The selector of this name. */
  selector(name: string): Pointer;
  /** The name of an object's class. */
  classNameOf(object: Pointer): string;
  /** `objc_msgSend` for the types of some arguments, receiver and selector left out, and of a result. */
  sender(parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): Send;
  /**
   * Runs `work` with a pool for the objects that are autoreleased meanwhile. It may begin a call and return its promise,
   * but must not be an async function: the pool is gone when it returns.
   */
  pooled<T>(work: () => T): T;
  /** Adds an owner. */
  retain(object: Pointer): Pointer;
  /** Removes an owner. */
  release(object: Pointer): void;
  /** The handlers of calls that finish on other threads. */
  readonly completions: Completions;
}

/** The runtime at some addresses. */
export function createRuntime(symbols: Symbols): Runtime {
  const getClass = call(symbols.objc_getClass, ["buffer"], "pointer");
  const registerName = call(symbols.sel_registerName, ["buffer"], "pointer");
  const getClassName = call(symbols.object_getClassName, ["pointer"], "pointer");
  const push = call(symbols.objc_autoreleasePoolPush, [], "pointer");
  const pop = call(symbols.objc_autoreleasePoolPop, ["pointer"], "void");
  const retain = call(symbols.objc_retain, ["pointer"], "pointer");
  const release = call(symbols.objc_release, ["pointer"], "void");
  const selectors = new Map<string, Pointer>();
  const senders = new Map<string, Send>();

  function pooled<T>(work: () => T): T {
    const pool = push();
    try {
      return work();
    } finally {
      pop(pool);
    }
  }

  return {
    classNamed: (name) => getClass(cString(name)),
    classNameOf: (object) => readCString(getClassName(object)),
    selector: (name) => getOrInsert(selectors, name, () => registerName(cString(name))!),
    sender: (parameters, result) =>
      getOrInsert(senders, `${parameters} ${result}`, () => {
        // Never as a variadic function: on arm64 those take their arguments elsewhere.
        return call(symbols.objc_msgSend, ["pointer", "pointer", ...parameters], result) as Send;
      }),
    pooled,
    retain: (object) => retain(object)!,
    release,
    completions: createCompletions(symbols, pooled),
  };
}

function getOrInsert<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
