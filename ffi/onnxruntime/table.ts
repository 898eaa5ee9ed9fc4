/**
 * A table of C function pointers as an object of typed functions.
 *
 * A row says where a function stands in the table and, as in C, the type and the name of each parameter. Four kinds
 * cover the C API of ONNX Runtime:
 *
 * - {@linkcode plain}: called as declared in C.
 * - {@linkcode status}: returns an `OrtStatus*`; here it returns nothing, and throws an {@linkcode OrtError}.
 * - {@linkcode handle}: a `status` whose last parameter is an out-parameter for a pointer; here it returns the pointer.
 * - {@linkcode nonblocking}: one of these on another thread, as a promise. Its pointers must lead to native memory.
 *
 * @module
 */

import { callable, type DirectCalls, directCalls, noDirectCalls } from "../direct_calls.ts";
import { pointerAt, readPointer } from "../memory.ts";
import { ErrorCode } from "./enums.ts";

/** An error that ONNX Runtime reported. */
export class OrtError extends Error {
  override readonly name = "OrtError";
  /** The number of the error, one of {@linkcode ErrorCode}. */
  readonly code: number;

  /** `message` is the text as ONNX Runtime gave it. */
  constructor(code: number, message: string) {
    const { stackTraceLimit } = Error;
    // An error without frames: they would keep what the functions on the stack use, such as the tensors of a run.
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

/** What the functions of one library share. */
export interface Services {
  /** Throws what a status says, and releases it; null is success. */
  unwrap(status: Deno.PointerValue): void;
  /** Allocates native memory for one pointer. */
  allocateCell(): Deno.PointerObject;
  /** Frees what `allocateCell` gave. */
  freeCell(cell: Deno.PointerObject): void;
}

/** A function's place in its table, and how to call it. */
export interface Row<Call> {
  /** The position in the table. */
  readonly index: number;
  /** The function at `address`. */
  bind(address: Deno.PointerObject, services: Services, direct: DirectCalls): Call;
}

/** The functions of a table of rows. */
export type Functions<Rows> = { readonly [Name in keyof Rows]: Rows[Name] extends Row<infer Call> ? Call : never };

/** The C types of the tables, and what a caller passes for each. A size may be a plain number. */
interface Values {
  pointer: Deno.PointerValue;
  buffer: BufferSource | null;
  bool: boolean;
  i32: number;
  u32: number;
  usize: number | bigint;
}

/** A parameter as it stands in a row: `pointer session`. */
export type Parameter = `${keyof Values} ${string}`;
/** A parameter of a nonblocking call. */
export type PointerParameter = `pointer ${string}`;
/** What a caller passes for a list of parameters. */
export type Arguments<P extends readonly Parameter[]> = {
  [I in keyof P]: P[I] extends `${infer T extends keyof Values} ${string}` ? Values[T] : never;
};
/** What comes out of a plain function. */
export type Result<R> = R extends "pointer" ? Deno.PointerValue : R extends "void" ? void : number;

/** A function as C declares it. */
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

/** A function that returns a status and writes a pointer; `parameters` are all but the last. */
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

/** The nonblocking forms of the three kinds. They take nothing but pointers to native memory. */
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

  /** A function that returns a status and writes a pointer: into native memory, since the isolate may end meanwhile. */
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
 * @param direct makes symbols of the functions that are called often
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

/** The function at `address`; the caller states the types that belong to the parameters and the result. */
export function foreign<A extends readonly unknown[], R>(
  address: Deno.PointerObject,
  parameters: readonly Parameter[],
  result: Deno.NativeResultType,
  direct: DirectCalls = noDirectCalls,
): (...args: A) => R {
  return callable(address, { parameters: typesOf(parameters), result }, direct) as unknown as (...args: A) => R;
}

/** The same on another thread: by its pointer, since a symbol of a closed library cannot be called so. */
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
