/** onnxruntime-web, unmodified, on navigator.ml: real models beside its own engine, and what programs do with it. */
import { assert, assertEquals } from "@std/assert";
import { runChild } from "../../support/child.ts";
import { runModels } from "../../bench/clients/onnxruntime_web/child.ts";
import { MODELS } from "../../bench/clients/onnxruntime_web/models.ts";

Deno.test("onnxruntime-web computes the same on WebNN as on its own engine", async (t) => {
  const outcomes = await runModels();
  assertEquals(outcomes.length, MODELS.length);
  for (const [index, { name, tolerance, placement }] of MODELS.entries()) {
    await t.step(name, () => {
      const { placed, result } = outcomes[index]!;
      assertEquals(placed, placement);
      assert(result.error <= tolerance * result.largest, `differs by ${result.error}, of ${result.largest}`);
    });
  }
});

const FEATURES = {
  deviceTypes: "takes every deviceType and powerPreference",
  sharedContext: "uses the context that it is given, and leaves it to its owner",
  outputTensors: "leaves outputs in MLTensors",
  inputTensors: "takes MLTensors as inputs and outputs",
  severalSessions: "has several sessions on one context",
  dynamicShapes: "runs a model of open dimensions in several sizes",
  valuesBetweenEngines: "shares a model between WebNN and its own engine",
};

for (const [feature, title] of Object.entries(FEATURES)) {
  Deno.test(`onnxruntime-web ${title}`, async () => {
    const program = new URL("onnxruntime_web/features.ts", import.meta.url);
    const flags = ["--no-prompt", "--allow-ffi", "--allow-read"];
    const { code, stdout, stderr } = await runChild(program, [feature], flags);
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: "ok", stderr: "" });
  });
}
