/** The choice between Core ML and ONNX Runtime. Whether Core ML itself works can be tested only on a Mac. */
import { assertEquals, assertRejects } from "@std/assert";
import { createContext, devices } from "@webnn/deno";
import "../support/devices.ts"; // devices() looks for WebGPU once per process, so the driver must be set before.
import { testOnFake } from "./fake_framework.ts";

Deno.test({
  name: "without macOS, createContext rejects the backend coreml, and devices() lists it with the reason",
  ignore: Deno.build.os === "darwin", // It has Core ML.
  async fn() {
    await assertRejects(() => createContext({ backend: "coreml" }), DOMException, "Core ML is a part of macOS");
    const entries = (await devices()).filter(({ backend }) => backend === "coreml");
    assertEquals(entries.map(({ available, reason }) => [available, reason]), [
      [false, `Core ML is a part of macOS; on ${Deno.build.os} choose another backend`],
    ]);
  },
});

testOnFake("the choice of engines, options, and the list of devices", "select.ts");
