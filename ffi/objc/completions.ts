/**
 * Completion handlers: blocks that Core ML calls on threads of its own when a call has finished.
 *
 * One callback serves all of them. It is permanent: closing one while a framework may still be on its stack would end
 * the process. Each call in flight has a block of its own, whose address tells the callback which promise to settle.
 *
 * A block that says of itself that it is global is neither copied nor counted by anybody. Its memory stays ours, is
 * native, and is used again but never freed: a framework may look at the block after it has called it.
 *
 * One thing cannot be helped: a worker that is terminated (not closed) takes its callback with it, and the process ends
 * when a framework calls it then.
 *
 * @see https://clang.llvm.org/docs/Block-ABI-Apple.html
 * @module
 */

import { cString, offsetPointer, type Pointer } from "../memory.ts";
import type { Symbols } from "./frameworks.ts";
import { createPages } from "./pages.ts";

/** The handlers of calls that finish on other threads. */
export interface Completions {
  /**
   * Begins a call and waits for its completion.
   *
   * @param begin Sends the message, with the block as the handler of the completion.
   * @param finish Makes the result of what the handler gets, a result and an NSError of which one is nil. The objects
   * live until it returns; it runs in a pool.
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
/** The page begins with the descriptor, 24 bytes, and the signature, 12. */
const FIRST_BLOCK = 64;

type Handler = (result: Deno.PointerValue, error: Deno.PointerValue) => void;

/** The handlers of a process. `pooled` runs a function with an autorelease pool. */
export function createCompletions(symbols: Symbols, pooled: (work: () => void) => void): Completions {
  const handlers = new Map<bigint, Handler>();
  const blocks: Pointer[] = [];
  let opened: ReturnType<typeof open> | undefined;

  function open() {
    const definition = { parameters: ["pointer", "pointer", "pointer"], result: "void" } as const;
    const callback = Deno.UnsafeCallback.threadSafe(definition, (block, result, error) => {
      const address = Deno.UnsafePointer.value(block);
      const handler = handlers.get(address);
      if (handler === undefined) return; // Called twice: the first call has settled it.
      forget(address);
      blocks.push(block!);
      pooled(() => handler(result, error));
    });
    callback.unref();
    return callback;
  }

  function forget(address: bigint): void {
    handlers.delete(address);
    if (handlers.size === 0) opened?.unref(); // Nothing is awaited: the program may end.
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
