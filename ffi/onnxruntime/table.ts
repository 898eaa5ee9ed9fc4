/**
 * A table of C function pointers as an object of typed functions.
 *
 * A row has the index of a function in the table and, as in C, the type and name of each parameter. There are four
 * kinds of rows:
 *
 * - {@linkcode plain}: as declared in C.
 * - {@linkcode status}: returns an `OrtStatus*`; the function returns nothing, and throws an {@linkcode OrtError}.
 * - {@linkcode handle}: a `status` whose last parameter is an out-parameter for a pointer; the function returns the
 *   pointer.
 * - {@linkcode nonblocking}: one of these on another thread; the function returns a promise. Pointers must be to native
 *   memory.
 *
 * @module
 */

import { callable, type DirectCalls, directCalls, noDirectCalls } from "../direct_calls.ts";
import { pointerAt, readPointer } from "../memory.ts";
import { ErrorCode } from "./enums.ts";

/** An error reported by ONNX Runtime. */
export class OrtError extends Error {
  override readonly name = "OrtError";
  /** The code of the error, one of {@linkcode ErrorCode}. */
  readonly code: number;

  /** @param message the text from ONNX Runtime */
  constructor(code: number, message: string) {
    const { stackTraceLimit } = Error;
    // No stack trace: it would keep alive the objects that its functions use, such as the tensors of a run.
    Reflect.set(Error, "stackTraceLimit", 0);
    super(message);
    Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
    this.code = code;
  }

  /** The name of the code, such as "INVALID_GRAPH". */
  get codeName(): string {
    return Object.entries(ErrorCode).find(([, code]) => code === this.code)?.[0] ?? `code ${this.code}`;
  }
}

/** What all functions of a library share. */
export interface Services {
  /** Throws the error of a status, and releases the status; null is success. */
  unwrap(status: Deno.PointerValue): void;
  /** Allocates native memory for a pointer. */
  allocateCell(): Deno.PointerObject;
  /** Frees a result of `allocateCell`. */
  freeCell(cell: Deno.PointerObject): void;
}

/** The index of a function in its table, and how to call it. */
export interface Row<Call> {
  /** The index in the table. */
  readonly index: number;
  /** Makes the function for an address. */
  bind(address: Deno.PointerObject, services: Services, direct: DirectCalls): Call;
}

/** The functions of a table. */
export type Functions<Rows> = { readonly [Name in keyof Rows]: Rows[Name] extends Row<infer Call> ? Call : never };

/** The type of argument for each C type. A size may be a plain number. */
interface Values {
  pointer: Deno.PointerValue;
  buffer: BufferSource | null;
  bool: boolean;
  i32: number;
  u32: number;
  usize: number | bigint;
}

/** A parameter in a row: `pointer session`. */
export type Parameter = `${keyof Values} ${string}`;
/** A parameter of a nonblocking call. */
export type PointerParameter = `pointer ${string}`;
/** The arguments for a list of parameters. */
export type Arguments<P extends readonly Parameter[]> = {
  [I in keyof P]: P[I] extends `${infer T extends keyof Values} ${string}` ? Values[T] : never;
};
/** The result of a plain function. */
export type Result<R> = R extends "pointer" ? Deno.PointerValue : R extends "void" ? void : number;

/** A function, as declared in C. */
export function plain<const P extends readonly Parameter[], const R extends "pointer" | "i32" | "u32" | "void">(
  result: R,
  index: number,
  ...parameters: P
): Row<(...args: Arguments<P>) => Result<R>> {
  return { index, bind: (address, _, direct) => foreign(address, parameters, result, direct) };
}

/** A function that returns a status. */
export function status<const P extends readonly Parameter[]>(
  index: number,
  ...parameters: P
): Row<(...args: Arguments<P>) => void> {
  return {
    index,
    bind(address, { unwrap }, direct) {
      const call = foreign<Arguments<P>, Deno.PointerValue>(address, parameters, "pointer", direct);
      return (...args) => {
        const status = call(...args);
        if (status !== null) unwrap(status);
      };
    },
  };
}

/** A function that returns a status and writes a pointer. `parameters` does not include that last one. */
export function handle<const P extends readonly Parameter[]>(
  index: number,
  ...parameters: P
): Row<(...args: Arguments<P>) => Deno.PointerObject> {
  return {
    index,
    bind(address, { unwrap }, direct) {
      type WithOut = [...Arguments<P>, BigUint64Array];
      const call = foreign<WithOut, Deno.PointerValue>(address, [...parameters, "buffer out"], "pointer", direct);
      const out = new BigUint64Array(1);
      return (...args) => {
        const status = call(...args, out);
        if (status !== null) unwrap(status);
        return pointerAt(out)!;
      };
    },
  };
}

/** The nonblocking versions of the three kinds. They take only pointers to native memory. */
export const nonblocking = {
  /** A function without a result. */
  plain<const P extends readonly PointerParameter[]>(
    index: number,
    ...parameters: P
  ): Row<(...args: Arguments<P>) => Promise<void>> {
    return { index, bind: (address) => foreignAsync(address, parameters, "void") };
  },

  /** A function that returns a status. */
  status<const P extends readonly PointerParameter[]>(
    index: number,
    ...parameters: P
  ): Row<(...args: Arguments<P>) => Promise<void>> {
    return {
      index,
      bind(address, { unwrap }) {
        const call = foreignAsync<Arguments<P>, Deno.PointerValue>(address, parameters, "pointer");
        return async (...args) => unwrap(await call(...args));
      },
    };
  },

  /**
   * A function that returns a status and writes a pointer: to native memory, because the isolate may end during the
   * call.
   */
  handle<const P extends readonly PointerParameter[]>(
    index: number,
    ...parameters: P
  ): Row<(...args: Arguments<P>) => Promise<Deno.PointerObject>> {
    return {
      index,
      bind(address, { unwrap, allocateCell, freeCell }) {
        type WithOut = [...Arguments<P>, Deno.PointerObject];
        const all = [...parameters, "pointer out"] as const;
        const call = foreignAsync<WithOut, Deno.PointerValue>(address, all, "pointer");
        return async (...args) => {
          const cell = allocateCell();
          try {
            unwrap(await call(...args, cell));
            return readPointer(cell)!;
          } finally {
            freeCell(cell);
          }
        };
      },
    };
  },
};

/**
 * Binds rows to the functions of the table at `table`.
 *
 * @param direct makes symbols of functions that are called often
 */
export function bindTable<Rows extends Record<string, Row<unknown>>>(
  table: Deno.PointerObject,
  rows: Rows,
  services: Services,
  direct: (addresses: readonly bigint[]) => DirectCalls = directCalls,
): Functions<Rows> {
  const found = Object.entries(rows).map(([name, row]) => {
    const address = readPointer(table, 8 * row.index);
    if (address === null) throw new TypeError(`ONNX Runtime has no function ${name} at position ${row.index}`);
    return { name, row, address };
  });
  const symbols = direct(found.map(({ address }) => Deno.UnsafePointer.value(address)));
  return Object.fromEntries(
    found.map(({ name, row, address }) => [name, row.bind(address, services, symbols)]),
  ) as Functions<Rows>;
}

/** The function at `address`. The caller states its types. */
export function foreign<A extends readonly unknown[], R>(
  address: Deno.PointerObject,
  parameters: readonly Parameter[],
  result: Deno.NativeResultType,
  direct: DirectCalls = noDirectCalls,
): (...args: A) => R {
  return callable(address, { parameters: typesOf(parameters), result }, direct) as unknown as (...args: A) => R;
}

/** The same on another thread. It is called by pointer, because a symbol of a closed library cannot be called there. */
function foreignAsync<A extends readonly unknown[], R>(
  address: Deno.PointerObject,
  parameters: readonly Parameter[],
  result: Deno.NativeResultType,
): (...args: A) => Promise<R> {
  const definition: Deno.ForeignFunction = { parameters: typesOf(parameters), result, nonblocking: true };
  const pointer = new Deno.UnsafeFnPointer(address as Deno.PointerObject<Deno.ForeignFunction>, definition);
  return (...args) => pointer.call(...args as unknown as never[]) as Promise<R>;
}

function typesOf(parameters: readonly Parameter[]): (keyof Values)[] {
  return parameters.map((parameter) => parameter.split(" ")[0] as keyof Values);
}
