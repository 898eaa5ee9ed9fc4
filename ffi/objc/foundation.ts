/**
 * Conversions between JavaScript and Foundation: strings, URLs, collections and errors. Results are autoreleased, so
 * all of this runs inside {@linkcode Runtime.pooled}.
 *
 * @module
 */

import { cString, type Pointer, pointerArray, readCString } from "../memory.ts";
import { bindMessages, message, type Services } from "./messages.ts";
import type { Runtime } from "./runtime.ts";

const FOUNDATION = {
  stringWithUTF8String: message("object", "+[NSString stringWithUTF8String:]", "buffer text"),
  UTF8String: message("pointer", "-[NSString UTF8String]"),
  fileURLWithPath: message("object", "+[NSURL fileURLWithPath:]", "object path"),
  path: message("nullable", "-[NSURL path]"),
  numberWithLongLong: message("object", "+[NSNumber numberWithLongLong:]", "i64 value"),
  longLongValue: message("i64", "-[NSNumber longLongValue]"),
  arrayWithObjects: message("object", "+[NSArray arrayWithObjects:count:]", "buffer objects", "i64 count"),
  arrayCount: message("i64", "-[NSArray count]"),
  objectAtIndex: message("object", "-[NSArray objectAtIndex:]", "i64 index"),
  dictionaryWithObjects: message(
    "object",
    "+[NSDictionary dictionaryWithObjects:forKeys:count:]",
    "buffer objects",
    "buffer keys",
    "i64 count",
  ),
  objectForKey: message("nullable", "-[NSDictionary objectForKey:]", "object key"),
  domain: message("nullable", "-[NSError domain]"),
  code: message("i64", "-[NSError code]"),
  localizedDescription: message("nullable", "-[NSError localizedDescription]"),
  userInfo: message("nullable", "-[NSError userInfo]"),
};

/** An NSError. */
export class NSError extends Error {
  override readonly name = "NSError";
  /** The domain of the error: `"com.apple.CoreML"`. */
  readonly domain: string;
  /** The code of the error in its domain. */
  readonly code: number;

  /** `cause` is the underlying error. Its text becomes part of the message, because often only it has the reason. */
  constructor(text: string, domain: string, code: number, cause?: NSError) {
    super(`${text} (${domain} ${code})${cause ? `: ${cause.message}` : ""}`, { cause });
    this.domain = domain;
    this.code = code;
  }
}

/** Conversions between JavaScript's and Foundation's values. */
export interface Foundation {
  string(text: string): Pointer;
  /** The text of an NSString; empty if nil. */
  text(string: Deno.PointerValue): string;
  fileUrl(path: string): Pointer;
  /** The path of a URL; empty if it has none. */
  path(url: Pointer): string;
  /** An NSArray of NSNumbers. */
  numbers(values: readonly number[]): Pointer;
  /** The integers of an NSArray of NSNumbers. */
  integers(array: Pointer): number[];
  /** The objects of an NSArray. */
  objects(array: Pointer): Pointer[];
  /** An NSDictionary with strings as keys. */
  dictionary(entries: readonly (readonly [key: string, value: Pointer])[]): Pointer;
  /** The value of a key, if there is one. */
  valueAt(dictionary: Pointer, key: string): Deno.PointerValue;
  /** The JavaScript error for an NSError. */
  error(error: Pointer): NSError;
}

/** How many errors of a chain to follow: an endless chain must not hang the program. */
const MAX_CAUSES = 8;

/** Binds Foundation. */
export function createFoundation(runtime: Runtime): Foundation {
  const services: Services = { runtime, toError: (object) => error(object) };
  const ns = bindMessages(FOUNDATION, services);
  const string = (text: string) => ns.stringWithUTF8String(cString(text));
  const text = (object: Deno.PointerValue) => object === null ? "" : readCString(ns.UTF8String(object));
  const objects = (array: Pointer) =>
    Array.from({ length: ns.arrayCount(array) }, (_, i) => ns.objectAtIndex(array, i));

  function error(object: Pointer, depth = 1): NSError {
    const info = ns.userInfo(object);
    const underlying = info && depth < MAX_CAUSES ? ns.objectForKey(info, string("NSUnderlyingError")) : null;
    const cause = underlying === null ? undefined : error(underlying, depth + 1);
    const description = text(ns.localizedDescription(object)) || "Core ML failed";
    return new NSError(description, text(ns.domain(object)), ns.code(object), cause);
  }

  return {
    string,
    text,
    objects,
    error,
    fileUrl: (path) => ns.fileURLWithPath(string(path)),
    path: (url) => text(ns.path(url)),
    numbers(values) {
      const numbers = values.map((value) => ns.numberWithLongLong(value));
      return ns.arrayWithObjects(pointerArray(numbers), numbers.length);
    },
    integers: (array) => objects(array).map((number) => ns.longLongValue(number)),
    dictionary(entries) {
      const keys = pointerArray(entries.map(([key]) => string(key)));
      return ns.dictionaryWithObjects(pointerArray(entries.map(([, value]) => value)), keys, entries.length);
    },
    valueAt: (dictionary, key) => ns.objectForKey(dictionary, string(key)),
  };
}
