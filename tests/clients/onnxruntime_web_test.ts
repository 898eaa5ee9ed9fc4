/** onnxruntime-web, unmodified, on navigator.ml: real models compared with its own engine, and other features. */
import { assert, assertEquals } from "@std/assert";
import { runChild } from "../../support/child.ts";
import { runModels } from "../../bench/clients/onnxruntime_web/child.ts";
import { MODELS } from "../../bench/clients/onnxruntime_web/models.ts";

Deno.test("onnxruntime-web gives the same results on WebNN as on its own engine", async (t) => {
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
  deviceTypes: "accepts every deviceType and powerPreference",
  sharedContext: "uses the program's context, and does not destroy it",
  outputTensors: "returns outputs as MLTensors",
  inputTensors: "accepts MLTensors as inputs and outputs",
  severalSessions: "runs several sessions on one context",
  dynamicShapes: "runs a model with free dimensions in several sizes",
  valuesBetweenEngines: "splits a model between WebNN and its own engine",
};

for (const [feature, title] of Object.entries(FEATURES)) {
  Deno.test(`onnxruntime-web ${title}`, async () => {
    const program = new URL("onnxruntime_web/features.ts", import.meta.url);
    const flags = ["--no-prompt", "--allow-ffi", "--allow-read"];
    const { code, stdout, stderr } = await runChild(program, [feature], flags);
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: "ok", stderr: "" });
  });
}
