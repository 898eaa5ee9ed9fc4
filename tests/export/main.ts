/**
 * `deno task verify:export`: checks that onnx.checker accepts the exports of WPT's numeric cases, and that PyPI's
 * onnxruntime computes the expected values from them. With `--gallery`, checks that the exports of the models of
 * `bench:models` compute the same as the models. Exits with status 1 for a difference that is not listed in wpt.ts.
 *
 * @module
 */

import { runProgram } from "../../support/program.ts";
import { pythonWith } from "../../support/python.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { loadCases } from "../wpt_cases/cases.ts";
import { CASES } from "../wpt_cases/main.ts";
import { PACKAGES } from "./models.ts";

const HELP = `Exports WPT's numeric cases as ONNX files, checks the files with onnx.checker, and compares the results of
PyPI's onnxruntime with the expected values. Both packages are installed from PyPI into the cache.

Usage: deno task verify:export [--filter OPERATOR] [--gallery]

  --gallery  exports the models of bench:models instead, and compares each with the original; downloads them once
  --filter   only the cases of this operator, or the models with this text in their names
  --help     prints this text`;

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
    if (cases.length === 0) throw new Error(`there are no cases of the operator ${filter}`);
    const { verifyCases } = await import("./wpt.ts");
    return await verifyCases(await pythonWith(PACKAGES), cases);
  });
}
