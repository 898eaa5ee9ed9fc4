/**
 * Objective-C messages as typed functions.
 *
 * A row has a method, as Objective-C writes it, and its parameters:
 *
 * - {@linkcode message}: as declared. The first argument of an instance method is the object.
 * - {@linkcode initializer}: allocates and initialises an object, which the caller owns.
 * - {@linkcode failable}: the last parameter is an `NSError **`; the function throws the error.
 * - {@linkcode completion}: the last parameter is a completion handler; the function returns a promise.
 *
 * {@linkcode bindMessages} checks that every method exists before any is called, because sending an unknown message
 * crashes the process.
 *
 * @module
 */

import { LibraryError } from "../library.ts";
import { type Pointer, pointerAt } from "../memory.ts";
import type { Runtime } from "./runtime.ts";

/** A class method, `+[NSURL fileURLWithPath:]`, or an instance method, `-[NSURL path]`. */
export type Method = `${"+" | "-"}[${string} ${string}]`;

/** The type of argument for each parameter type. */
interface Values {
  object: Pointer;
  /** An object or nil. */
  nullable: Deno.PointerValue;
  buffer: BufferSource;
  i64: number;
  bool: boolean;
}

/** The type of value for each result type. An `object` is never nil; nil throws an error. */
interface Results {
  object: Pointer;
  nullable: Deno.PointerValue;
  /** An address that is not an object. */
  pointer: Deno.PointerValue;
  i64: number;
  f64: number;
  bool: boolean;
  void: void;
}

/** A parameter in a row: `i64 units`. */
export type Parameter = `${keyof Values} ${string}`;
/** The arguments of a method. */
export type Arguments<M extends Method, P extends readonly Parameter[]> = [
  ...receiver: M extends `-${string}` ? [Pointer] : [],
  ...args: { [I in keyof P]: P[I] extends `${infer T extends keyof Values} ${string}` ? Values[T] : never },
];

/** What rows need besides the runtime. */
export interface Services {
  readonly runtime: Runtime;
  /** The JavaScript error for an NSError. */
  toError(error: Pointer): Error;
}

/** A method, and how to call it. */
export interface Row<Call> {
  readonly method: Method;
  /** Whether older systems may lack the method. */
  readonly isOptional: boolean;
  /** Makes the function. */
  bind(services: Services): Call;
}

/** The functions of a table. */
export type Messages<Rows> = { readonly [Name in keyof Rows]: Rows[Name] extends Row<infer Call> ? Call : never };

/** A message, as declared. */
export function message<const M extends Method, const P extends readonly Parameter[], R extends keyof Results>(
  result: R,
  method: M,
  ...parameters: P
): Row<(...args: Arguments<M, P>) => Results[R]> {
  return row(method, ({ runtime }) => {
    const send = bindMethod(runtime, method, parameters, nativeResult(result));
    return (...args) => convert(send(...args), result, method) as Results[R];
  });
}

/** Allocates and initialises an object of the class. */
export function initializer<const M extends `-[${string}`, const P extends readonly Parameter[]>(
  method: M & Method,
  ...parameters: P
): Row<(...args: Arguments<`+[${string} ${string}]`, P>) => Pointer> {
  return row(method, ({ runtime }) => {
    const { alloc, init } = bindInitializer(runtime, method, parameters);
    return (...args) => notNil(init(alloc(), ...args), method);
  });
}

/** An initializer whose last parameter is an `NSError **`. */
export function failableInitializer<const M extends `-[${string}`, const P extends readonly Parameter[]>(
  method: M & Method,
  ...parameters: P
): Row<(...args: Arguments<`+[${string} ${string}]`, P>) => Pointer> {
  return row(method, (services) => {
    const { alloc, init } = bindInitializer(services.runtime, method, [...parameters, "buffer error"]);
    return (...args) => {
      const error = new BigUint64Array(1);
      return orThrow(init(alloc(), ...args, error), pointerAt(error), method, services);
    };
  });
}

/** A message whose last parameter is an `NSError **`. It returns an object, or whether it succeeded. */
export function failable<
  const M extends Method,
  const P extends readonly Parameter[],
  R extends "object" | "bool",
>(
  result: R,
  method: M,
  ...parameters: P
): Row<(...args: Arguments<M, P>) => R extends "bool" ? void : Results[R]> {
  return row(method, (services) => {
    const send = bindMethod(services.runtime, method, [...parameters, "buffer error"], nativeResult(result));
    return (...args) => {
      const error = new BigUint64Array(1);
      const value = send(...args, error) as Deno.PointerValue | boolean;
      return orThrow(value === false ? null : value, pointerAt(error), method, services) as never;
    };
  });
}

/**
 * A message whose last parameter is a handler `(result, error)`. `finish` gets the result, which lives until it
 * returns.
 */
export function completion<const M extends Method, const P extends readonly Parameter[]>(
  method: M,
  ...parameters: P
): Row<<T>(finish: (result: Pointer) => T, ...args: Arguments<M, P>) => Promise<T>> {
  return row(method, (services) => {
    const { runtime } = services;
    const send = bindMethod(runtime, method, [...parameters, "object handler"], "void");
    return (finish, ...args) =>
      runtime.completions.wait(
        (block) => void send(...args, block),
        (result, error) => finish(orThrow(result, error, method, services)),
      );
  });
}

/** A row that older systems may lack. */
export function optional<Call>(row: Row<Call>): Row<Call | undefined> {
  return { ...row, isOptional: true };
}

/**
 * Binds rows to methods.
 *
 * @throws {LibraryError} that names all missing methods
 */
export function bindMessages<Rows extends Record<string, Row<unknown>>>(
  rows: Rows,
  services: Services,
): Messages<Rows> {
  const responds = bindProbe(services.runtime);
  const missing = Object.values(rows).filter(({ method, isOptional }) => !isOptional && !responds(method));
  if (missing.length > 0) {
    const names = missing.map(({ method }) => method).join(", ");
    throw new LibraryError(`This system's Core ML has no ${names}; use macOS 14 or newer`);
  }
  const bound = Object.entries(rows).map((
    [name, row],
  ) => [name, responds(row.method) ? row.bind(services) : undefined]);
  return Object.fromEntries(bound) as Messages<Rows>;
}

/** Returns a function that asks a class whether a method exists. */
function bindProbe(runtime: Runtime): (method: Method) => boolean {
  const send = runtime.sender(["pointer"], "bool");
  const [ofClass, ofObjects] = ["respondsToSelector:", "instancesRespondToSelector:"].map(runtime.selector);
  return (method) => {
    const { isOfClass, className, selector } = parse(method);
    const owner = runtime.classNamed(className);
    return owner !== null && send(owner, isOfClass ? ofClass! : ofObjects!, runtime.selector(selector)) as boolean;
  };
}

function row<Call>(method: Method, bind: (services: Services) => Call): Row<Call> {
  return { method, isOptional: false, bind };
}

/** Sends a message to the class, or to the object in the first argument. */
function bindMethod(
  runtime: Runtime,
  method: Method,
  parameters: readonly Parameter[],
  result: Deno.NativeResultType,
): (...args: unknown[]) => unknown {
  const { isOfClass, className, selector: name } = parse(method);
  const send = runtime.sender(parameters.map(nativeType), result);
  const selector = runtime.selector(name);
  if (!isOfClass) return (receiver, ...args) => send(receiver as Pointer, selector, ...args);
  const receiver = runtime.classNamed(className);
  return (...args) => send(receiver, selector, ...args);
}

function bindInitializer(runtime: Runtime, method: Method, parameters: readonly Parameter[]) {
  const allocMethod: Method = `+[${parse(method).className} alloc]`;
  const alloc = bindMethod(runtime, allocMethod, [], "pointer");
  return {
    alloc: () => notNil(alloc() as Deno.PointerValue, allocMethod),
    init: bindMethod(runtime, method, parameters, "pointer") as (...args: unknown[]) => Deno.PointerValue,
  };
}

function parse(method: Method): { isOfClass: boolean; className: string; selector: string } {
  const [, sign, className, selector] = /^([+-])\[(\w+) (\S+)\]$/.exec(method)!;
  return { isOfClass: sign === "+", className: className!, selector: selector! };
}

function nativeType(parameter: Parameter): Deno.NativeType {
  const type = parameter.split(" ")[0] as keyof Values;
  return type === "object" || type === "nullable" ? "pointer" : type;
}

function nativeResult(result: keyof Results): Deno.NativeResultType {
  return result === "object" || result === "nullable" ? "pointer" : result;
}

function convert(value: unknown, result: keyof Results, method: Method): unknown {
  if (result === "object") return notNil(value as Deno.PointerValue, method);
  return result === "i64" ? Number(value) : value;
}

function notNil(object: Deno.PointerValue, method: Method): Pointer {
  if (object === null) throw new Error(`${method} returned nil`);
  return object;
}

/** The result, or throws the error. If there is a result, the error's memory is undefined. */
function orThrow<T>(result: T | null, error: Deno.PointerValue, method: Method, { toError }: Services): T {
  if (result !== null) return result;
  throw error === null ? new Error(`${method} failed and gave no reason`) : toError(error);
}
