/**
 * A worker that calls a function by a symbol, sends a message, and then makes the number of further calls that it was
 * sent. That number is finite because Deno 2.9 does not stop a busy worker.
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
