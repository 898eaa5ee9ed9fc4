/**
 * Makes classes behave like WebIDL interfaces: internal slots, illegal constructors, enumerable members.
 *
 * @module
 */

import { isObject } from "./converters.ts";

/** The internal slot of an interface. Only its objects have the slot, and scripts can neither read nor forge it. */
export interface Slot<T> {
  /** Creates an object of the interface without running its constructor. */
  create<Interface extends object>(prototype: Interface, value: T): Interface;
  /** Adds the slot to `this` inside the constructor of the interface. */
  initialize(object: object, value: T): void;
  /** Whether a value is an object of the interface. */
  has(value: unknown): boolean;
  /** The slot's value for `this` of a method; a TypeError if it is not an object of the interface. */
  get(object: object): T;
  /**
   * The slot's value for an argument, or for the value of a record's `key`; a TypeError if it is not such an object.
   */
  convert(value: unknown, context: string, key?: string): T;
}

/** Its constructor returns its argument, so that the private field of a subclass is added to that object. */
class Identity {
  constructor(object: object) {
    return object;
  }
}

/** Creates the slot of an interface. */
export function slot<T>(interfaceName: string): Slot<T> {
  class Stamp extends Identity {
    #value: T;
    constructor(object: object, value: T) {
      super(object);
      this.#value = value;
    }
    static has(value: object): boolean {
      return #value in value;
    }
    static get(object: object): T {
      if (typeof object === "object" && object !== null && #value in object) return (object as Stamp).#value;
      throw new TypeError(`Illegal invocation: not an ${interfaceName}`);
    }
    static convert(value: unknown, context: string, key?: string): T {
      if (typeof value === "object" && value !== null && #value in value) return (value as Stamp).#value;
      const item = key === undefined ? "" : `["${key}"]`;
      throw new TypeError(`${context}${item} is not an ${interfaceName}.`);
    }
  }
  return {
    create<Interface extends object>(prototype: Interface, value: T): Interface {
      return new Stamp(Object.create(prototype) as object, value) as unknown as Interface;
    },
    initialize(object, value) {
      new Stamp(object, value);
    },
    has: (value) => isObject(value) && Stamp.has(value),
    get: Stamp.get,
    convert: Stamp.convert,
  };
}

/** The body of a constructor that scripts may not call. */
export function illegalConstructor(): never {
  throw new TypeError("Illegal constructor");
}

/** The methods by which Deno's and Node's consoles get the text of an object. */
const INSPECT = [Symbol.for("Deno.customInspect"), Symbol.for("nodejs.util.inspect.custom")];

type Inspect = (value: unknown, options?: unknown) => string;

/**
 * Turns a class into a WebIDL interface object: makes its members enumerable and sets its class string.
 *
 * @param describe returns what the console shows of an object, after the name of the interface
 * @see https://webidl.spec.whatwg.org/#js-interfaces
 */
export function defineInterface<Value>(
  constructor: { readonly name: string; readonly prototype: object },
  slot: Slot<Value>,
  describe: (value: Value) => object,
): void {
  const { prototype } = constructor;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name !== "constructor") Object.defineProperty(prototype, name, { enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: constructor.name, configurable: true });
  const { inspect } = {
    /** Deno passes its inspect function first, Node passes it last. */
    inspect(this: unknown, first: unknown, options: unknown, last: unknown): string {
      const inspect = (typeof first === "function" ? first : last) as Inspect;
      return `${constructor.name} ${inspect(slot.has(this) ? describe(slot.get(this as object)) : {}, options)}`;
    },
  };
  for (const symbol of INSPECT) Object.defineProperty(prototype, symbol, { value: inspect, configurable: true });
}

/** Runs an operation that returns a promise. If the operation throws, the promise rejects with that error. */
export function promised<T>(operation: () => T | PromiseLike<T>): Promise<T> {
  return new Promise((resolve) => resolve(operation()));
}
