/**
 * What a run of the cases has shown: a table, the failures one by one, the JSON report and the verdict.
 *
 * @module
 */

/** What became of a case. */
export interface CaseResult {
  readonly operator: string;
  readonly name: string;
  readonly required: boolean;
  readonly outcome: "passed" | "failed" | "not supported";
  /** The largest distance of any element from the expected one, in the metric of the tolerance; absent if none was computed. */
  readonly error?: number;
  readonly tolerance: string;
  /** Why it did not pass. */
  readonly reason?: string;
}

/**
 * Cases that are known not to pass, by name, each with its reason. `"float16 is not supported"` stands for all that need
 * the data type.
 */
export type Exceptions = Readonly<Record<string, string>>;

/** Results of one operator. */
interface Row {
  readonly operator: string;
  readonly required: string;
  readonly optional: string;
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
}

/** The verdict over all results. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** Those that need what the limits do not offer. */
  readonly unsupported: number;
  /** Failures that no exception explains. */
  readonly unexpected: readonly CaseResult[];
  /** Exceptions whose case passes, or that name no case that was run with `complete`. */
  readonly stale: readonly string[];
}

/** Count, and hold the results against the exceptions. `complete` tells that every case was run. */
export function summarize(results: readonly CaseResult[], exceptions: Exceptions, complete: boolean): Summary {
  const passed = results.filter(hasPassed);
  const others = results.filter((result) => !hasPassed(result));
  const explaining = new Set(others.flatMap((result) => explanation(result, exceptions) ?? []));
  const runNames = new Set(results.map(({ name }) => name));
  return {
    passed: passed.length,
    failed: others.filter(({ outcome }) => outcome === "failed").length,
    unsupported: others.filter(({ outcome }) => outcome === "not supported").length,
    unexpected: others.filter((result) => explanation(result, exceptions) === undefined),
    stale: Object.keys(exceptions).filter((name) => !explaining.has(name) && (complete || runNames.has(name))),
  };
}

/** The name of the exception that explains why a case did not pass. */
function explanation({ name, outcome, reason }: CaseResult, exceptions: Exceptions): string | undefined {
  const missing = outcome === "not supported" ? `${reason?.split(" ").at(-1)} is not supported` : name;
  return [name, missing].find((key) => key in exceptions);
}

/** The table per operator, in the order of the results. */
export function table(results: readonly CaseResult[]): string {
  const groups = Map.groupBy(results, ({ operator }) => operator);
  const rows = [...groups].map(([operator, group]) => rowOf(operator, group));
  const header = ["operator", "required", "optional", "passed", "failed", "not supported"];
  const lines = [header, ...rows.map((row) => Object.values(row).map(String))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join("  ")
  ).join("\n");
}

/** `required` and `optional` as passed/all. */
function rowOf(operator: string, results: readonly CaseResult[]): Row {
  const share = (part: readonly CaseResult[]) => `${part.filter(hasPassed).length}/${part.length}`;
  const count = (outcome: CaseResult["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  return {
    operator,
    required: share(results.filter(({ required }) => required)),
    optional: share(results.filter(({ required }) => !required)),
    passed: count("passed"),
    failed: count("failed"),
    unsupported: count("not supported"),
  };
}

/** One line for each case that did not pass. */
export function failureLines(results: readonly CaseResult[], exceptions: Exceptions): string[] {
  return results.filter((result) => !hasPassed(result)).map(
    (result) => {
      const { operator, name, required, error, tolerance, reason } = result;
      const label = required ? "required" : "optional";
      const distance = error === undefined ? "" : ` (max error ${error}, tolerance ${tolerance})`;
      const key = explanation(result, exceptions);
      const known = key === undefined ? "" : ` [known: ${exceptions[key]}]`;
      return `FAIL ${operator} [${label}] ${name}: ${reason}${distance}${known}`;
    },
  );
}

/** The report as JSON; an infinite error is the string "Infinity". */
export function jsonReport(results: readonly CaseResult[], summary: Summary): string {
  const replacer = (_: string, value: unknown) => value === Infinity ? "Infinity" : value;
  const { passed, failed, stale, unsupported } = summary;
  return JSON.stringify({ passed, failed, unsupported, staleExceptions: stale, cases: results }, replacer, 1) + "\n";
}

function hasPassed({ outcome }: CaseResult): boolean {
  return outcome === "passed";
}
