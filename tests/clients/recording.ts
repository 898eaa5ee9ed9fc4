/** Counts the graphs that a client builds. */

/** Counts since the last {@linkcode Recording.clear}. */
export interface Recording {
  /** The numbers of graphs that were built, and of operations in them. */
  counts(): { graphs: number; operations: number };
  clear(): void;
}

/** Starts counting, by wrapping the methods of the global `MLGraphBuilder`. */
export function recordWebNN(): Recording {
  let counts = { graphs: 0, operations: 0 };
  const pending = new WeakMap<object, number>();
  const prototype = MLGraphBuilder.prototype;
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof value !== "function" || ["constructor", "input", "constant"].includes(name)) continue;
    const wrapped = function (this: MLGraphBuilder, ...args: unknown[]): unknown {
      const operations = pending.get(this) ?? 0;
      if (name !== "build") pending.set(this, operations + 1);
      else counts = { graphs: counts.graphs + 1, operations: counts.operations + operations };
      return value.apply(this, args);
    };
    Object.defineProperty(prototype, name, { value: wrapped, writable: true, configurable: true, enumerable: true });
  }
  return {
    counts: () => counts,
    clear: () => {
      counts = { graphs: 0, operations: 0 };
    },
  };
}
