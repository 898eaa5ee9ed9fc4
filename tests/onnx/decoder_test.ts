/**
 * A decoder with past and present keys and values, compared with onnxruntime-node.
 */
import { assert, assertEquals } from "@std/assert";
import { runChild } from "../../support/child.ts";

interface Generated {
  readonly graphs: number;
  readonly ours: number[];
  readonly theirs: number[];
  /** The largest difference of the logits, whose magnitudes are about 3. */
  readonly difference: number;
}

Deno.test("a decoder with caches of fixed length gives the same 64 tokens as onnxruntime-node, in at most 3 graphs", async () => {
  const program = new URL("programs/decoder.ts", import.meta.url);
  const { code, stdout, stderr } = await runChild(program, [], ["-A"]);
  assertEquals(code, 0, stderr);
  const results = Object.entries(JSON.parse(stdout) as Record<string, Generated>);
  assertEquals(results.length, 4);
  const [, { theirs: tokens }] = results[0]!;
  assertEquals(tokens.length, 64);
  assert(new Set(tokens).size >= 16, `too few different tokens: ${tokens}`);
  for (const [form, { graphs, ours, theirs, difference }] of results) {
    assertEquals(ours, theirs, form);
    assertEquals(theirs, tokens, `${form}: the same weights give the same tokens`);
    assert(graphs <= 3, `${form}: ${graphs} graphs`);
    assert(difference <= 1e-4, `${form}: ${difference}`);
  }
});
