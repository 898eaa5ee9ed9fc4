/**
 * As a worker: calls by a symbol a number of times, says so, and then goes on calling for as many times as it is told.
 * Deno 2.9 does not stop a worker before it comes to an end.
 */
import { assertEquals } from "@std/assert";
import { callable, directCalls } from "../../ffi/direct_calls.ts";
import { ADDRESSES, addressOf, FUNCTIONS } from "./libc_functions.ts";

const worker = self as unknown as Worker;

worker.onmessage = ({ data: more }) => {
  const abs = callable(addressOf("abs"), FUNCTIONS.abs, directCalls(ADDRESSES));
  for (let i = 1; i < 1000; i++) assertEquals(abs(-i), i);
  worker.postMessage("called");
  for (let i = 0; i < more; i++) abs(-1);
};
