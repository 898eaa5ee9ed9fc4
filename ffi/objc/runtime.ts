/**
 * The Objective-C runtime: classes, selectors, messages, autorelease pools and reference counts.
 *
 * Two rules prevent crashes and leaks. An Objective-C exception cannot be caught and ends the process, so never send an
 * unknown message, and never pass nil where it is not allowed. And an object autoreleased outside a pool is never
 * freed, so code that creates objects runs inside {@linkcode Runtime.pooled}.
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
  /** The class with this name; null if there is none. */
  classNamed(name: string): Deno.PointerValue;
  /** The selector with this name. */
  selector(name: string): Pointer;
  /** The name of an object's class. */
  classNameOf(object: Pointer): string;
  /** `objc_msgSend` for the given types of arguments (without receiver and selector) and result. */
  sender(parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): Send;
  /**
   * Runs `work` in an autorelease pool. It may start a call and return its promise, but must not be an async function,
   * because the pool ends when it returns.
   */
  pooled<T>(work: () => T): T;
  /** Increments the reference count. */
  retain(object: Pointer): Pointer;
  /** Decrements the reference count. */
  release(object: Pointer): void;
  /** Handlers of calls that complete on other threads. */
  readonly completions: Completions;
}

/** Creates the runtime from the addresses of its functions. */
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
        // Not as a variadic function: on arm64, those take their arguments elsewhere.
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
