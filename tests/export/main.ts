/**
 * `deno task verify:export`: what `exportOnnx` makes of WPT's numeric cases is accepted by onnx.checker and PyPI's
 * onnxruntime, which computes the numbers that the cases expect; with `--gallery`, what it makes of the gallery's models
 * computes what the models do. Exits with 1 if not, unless the reason is given here.
 *
 * @module
 */

import { runProgram } from "../../support/program.ts";
import { pythonWith } from "../../support/python.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { loadCases } from "../wpt_cases/cases.ts";
import { CASES } from "../wpt_cases/main.ts";
import { PACKAGES } from "./models.ts";

const HELP = `Exports WPT's numeric cases as ONNX files, checks them with onnx.checker, and compares what PyPI's
onnxruntime computes with what the cases expect. Both are installed from PyPI into the cache.

Usage: deno task verify:export [--filter OPERATOR] [--gallery]

  --gallery  the models of bench:models instead, each beside itself; they are fetched into the cache once
  --filter   the cases of one operator, or the models of a name, only
  --help     this text`;

const OPTIONS = { string: ["filter"], boolean: ["gallery"] } as const;

if (import.meta.main) {
  await runProgram("verify:export", HELP, OPTIONS, async ({ filter, gallery }) => {
    if (gallery) {
      const { verifyGallery } = await import("./gallery.ts");
      return await verifyGallery(await pythonWith(PACKAGES), filter);
    }
    if (!hasTestData(CASES)) {
      throw new Error(`no ${CASES} in the test data; deno task data downloads it, WEBNN_TEST_DATA names its folder`);
    }
    const cases = await loadCases(testData(CASES), filter);
    if (cases.length === 0) throw new Error(`no cases of ${filter}`);
    const { verifyCases } = await import("./wpt.ts");
    return await verifyCases(await pythonWith(PACKAGES), cases);
  });
}
