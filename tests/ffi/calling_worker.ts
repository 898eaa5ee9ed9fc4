/** As a worker: calls by a symbol a number of times, says so, and then goes on calling if it is told to. */
import { assertEquals } from "@std/assert";
import { callable, directCalls } from "../../ffi/direct_calls.ts";
import { ADDRESSES, addressOf, FUNCTIONS } from "./libc_functions.ts";

const worker = self as unknown as Worker;

worker.onmessage = ({ data: isEndless }) => {
  const abs = callable(addressOf("abs"), FUNCTIONS.abs, directCalls(ADDRESSES));
  for (let i = 1; i < 1000; i++) assertEquals(abs(-i), i);
  worker.postMessage("called");
  while (isEndless) abs(-1);
};
