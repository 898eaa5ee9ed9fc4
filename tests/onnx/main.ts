/**
 * `deno task test:onnx [--filter TEXT]`: ONNX's own node tests against the importer. Exits with 1 if a number is wrong.
 *
 * @module
 */

import { runProgram } from "../../support/program.ts";
import { type Outcome, runNodeTest } from "./conformance.ts";
import { fetchNodeTests } from "./node_data.ts";

const HELP = `Usage: deno task test:onnx [options]

  --filter TEXT  only the tests whose name contains TEXT
  --verbose      print the result of each test
  --help         print this text

Runs the node tests of the PyPI package onnx, which pip downloads once to the user's cache. A test is passed if all outputs
are right (float32: rtol 1e-3, atol 1e-5; float16: 1e-2; integers: exact), refused if the importer rejects the model as
unsupported, and otherwise wrong.`;

/** Runs the tests whose names contain a text, in the order of their names. */
export async function runAll(
  folder: string,
  filter: string,
  progress: (outcome: Outcome, done: number, count: number) => void,
): Promise<Outcome[]> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.includes(filter)).sort();
  const outcomes: Outcome[] = [];
  for (const name of names) {
    const outcome = await runNodeTest(folder, name);
    outcomes.push(outcome);
    progress(outcome, outcomes.length, names.length);
  }
  return outcomes;
}

/** A report with the counts, the refused tests by reason, and the wrong tests. */
export function report(outcomes: readonly Outcome[]): string {
  const of = <Status extends Outcome["status"]>(status: Status) =>
    outcomes.filter((outcome): outcome is Outcome & { status: Status } => outcome.status === status);
  const [passed, refused, wrong, other] = [of("passed"), of("refused"), of("wrong"), of("other")];
  const byGraph = passed.filter(({ by }) => by === "graph").length;
  const reasons = Map.groupBy(refused, ({ reason }) => `| ${summary(reason)} |`);
  const others = Map.groupBy(other, ({ reason }) => reason.slice(0, 60));
  return [
    ...refused.length > 0 ? ["| refused | operator and reason | among them |", "|---|---|---|"] : [],
    ...Array.from(
      reasons,
      ([key, list]) => `| ${list.length} ${key} ${list.slice(0, 3).map(({ name }) => name).join(", ")} |`,
    ),
    "",
    ...wrong.map(({ name, reason }) => `WRONG ${name}: ${reason}`),
    `not applicable (random, or types that WebNN does not support): ${other.length} (${
      Array.from(others, ([reason, list]) => `${reason}: ${list.length}`).join("; ")
    })`,
    `${outcomes.length - other.length} tests apply: ${passed.length} passed (${byGraph} by a WebNN graph that ran, ` +
    `${passed.length - byGraph} by folding), ${refused.length} refused, ${wrong.length} wrong`,
  ].join("\n");
}

/** The first refused node and why, in one line. */
function summary(reason: string): string {
  const [, first = reason] = reason.split("\n");
  return first.trim().replace(/ \(.*?\):/, ":").replaceAll("|", "\\|").slice(0, 200);
}

if (import.meta.main) {
  const options = { string: ["filter"], boolean: ["verbose"], default: { filter: "" } } as const;
  await runProgram("test:onnx", HELP, options, async ({ filter, verbose }) => {
    const folder = await fetchNodeTests((text) => console.log(text));
    const outcomes = await runAll(folder, filter, (outcome, done, count) => {
      if (verbose) console.log(`${outcome.name}: ${outcome.status}${"reason" in outcome ? `: ${outcome.reason}` : ""}`);
      else if (done % 100 === 0 || done === count) console.error(`${done}/${count}`);
    });
    console.log(report(outcomes));
    return outcomes.some(({ status }) => status === "wrong") ? 1 : 0;
  });
}
