/**
 * Recurrent networks like those exported by PyTorch, and DynamicQuantizeLSTM, compared with onnxruntime-node.
 */
import { assert, assertEquals } from "@std/assert";
import { runChild } from "../../support/child.ts";

Deno.test("RNN, GRU and LSTM with all options of PyTorch, and DynamicQuantizeLSTM agree with onnxruntime-node to 1e-5", async () => {
  const program = new URL("programs/recurrent.ts", import.meta.url);
  const { code, stdout, stderr } = await runChild(program, [], ["-A"]);
  assertEquals(code, 0, stderr);
  const results = Object.entries(JSON.parse(stdout) as Record<string, number>);
  assertEquals(results.length, 99);
  for (const [options, difference] of results) assert(difference <= 1e-5, `${options}: ${difference}`);
});
