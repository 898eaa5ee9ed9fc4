/**
 * Completion handlers: blocks that Core ML calls on its own threads when a call has completed.
 *
 * One callback serves all of them. It is never closed: closing it while a framework is still on its stack would crash
 * the process. Each call in flight has its own block, whose address tells the callback which promise to settle.
 *
 * The blocks are marked as global, so nobody copies or reference-counts them. Their memory is native and reused but
 * never freed, because a framework may look at a block after it has called it.
 *
 * One problem remains: if a worker is terminated (not closed), its callback goes with it, and the process crashes when
 * a framework calls it.
 *
 * @see https://clang.llvm.org/docs/Block-ABI-Apple.html
 * @module
 */

import { cString, offsetPointer, type Pointer } from "../memory.ts";
import type { Symbols } from "./frameworks.ts";
import { createPages } from "./pages.ts";

/** Handlers of calls that complete on other threads. */
export interface Completions {
  /**
   * Starts a call and waits for its completion.
   *
   * @param begin sends the message, with the block as its completion handler
   * @param finish makes the result from what the handler gets: a result and an NSError, one of which is nil. The
   * objects live until it returns; it runs in an autorelease pool
   */
  wait<T>(
    begin: (block: Pointer) => void,
    finish: (result: Deno.PointerValue, error: Deno.PointerValue) => T,
  ): Promise<T>;
  /** The calls in flight. */
  readonly pending: number;
}

const IS_GLOBAL = 1n << 28n;
const HAS_SIGNATURE = 1n << 30n;
/** void (block, id, NSError *) */
const SIGNATURE = "v24@?0@8@16";
const PAGE = 4096;
const BLOCK = 32;
/** A page starts with the descriptor (24 bytes) and the signature (12 bytes). */
const FIRST_BLOCK = 64;

type Handler = (result: Deno.PointerValue, error: Deno.PointerValue) => void;

/** Creates the handlers of a process. `pooled` runs a function in an autorelease pool. */
export function createCompletions(symbols: Symbols, pooled: (work: () => void) => void): Completions {
  const handlers = new Map<bigint, Handler>();
  const blocks: Pointer[] = [];
  let opened: ReturnType<typeof open> | undefined;

  function open() {
    const definition = { parameters: ["pointer", "pointer", "pointer"], result: "void" } as const;
    const callback = Deno.UnsafeCallback.threadSafe(definition, (block, result, error) => {
      const address = Deno.UnsafePointer.value(block);
      const handler = handlers.get(address);
      if (handler === undefined) return; // A second call: the first one has settled it.
      forget(address);
      blocks.push(block!);
      pooled(() => handler(result, error));
    });
    callback.unref();
    return callback;
  }

  function forget(address: bigint): void {
    handlers.delete(address);
    if (handlers.size === 0) opened?.unref(); // Nothing is awaited, so the program may end.
  }

  function wait<T>(begin: (block: Pointer) => void, finish: (...args: Parameters<Handler>) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const callback = opened ??= open();
    if (blocks.length === 0) blocks.push(...createBlocks(symbols, callback.pointer));
    const block = blocks.pop()!;
    const address = Deno.UnsafePointer.value(block);
    if (handlers.size === 0) callback.ref();
    handlers.set(address, (result, error) => {
      try {
        resolve(finish(result, error));
      } catch (problem) {
        reject(problem);
      }
    });
    try {
      begin(block);
    } catch (problem) {
      forget(address);
      blocks.push(block);
      reject(problem);
    }
    return promise;
  }

  return {
    wait,
    get pending() {
      return handlers.size;
    },
  };
}

/** A page of blocks that call `invoke`. */
function createBlocks(symbols: Symbols, invoke: Pointer): Pointer[] {
  const { pointer, bytes } = createPages(symbols)(PAGE);
  const words = new BigUint64Array(bytes.buffer);
  const address = Deno.UnsafePointer.value;
  bytes.set(cString(SIGNATURE), 24);
  words.set([0n, BigInt(BLOCK), address(pointer) + 24n]); // reserved, size, signature
  const blocks: Pointer[] = [];
  for (let offset = FIRST_BLOCK; offset < PAGE; offset += BLOCK) {
    // isa, flags, invoke, descriptor
    const isa = address(symbols._NSConcreteGlobalBlock);
    words.set([isa, IS_GLOBAL | HAS_SIGNATURE, address(invoke), address(pointer)], offset / 8);
    blocks.push(offsetPointer(pointer, offset));
  }
  return blocks;
}
