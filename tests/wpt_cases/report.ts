/**
 * The reports about a run of the cases: a table, the failures, JSON, and the verdict.
 *
 * @module
 */

/** The result of a case. */
export interface CaseResult {
  readonly operator: string;
  readonly name: string;
  readonly required: boolean;
  readonly outcome: "passed" | "failed" | "not supported";
  /**
   * The largest difference of an element from the expected one, in the metric of the tolerance; absent if not computed.
   */
  readonly error?: number;
  readonly tolerance: string;
  /** Why it did not pass. */
  readonly reason?: string;
}

/**
 * The cases that are known to fail, by name, with the reason. `"float16 is not supported"` covers all cases that need
 * that data type.
 */
export type Exceptions = Readonly<Record<string, string>>;

/** The results of an operator. */
interface Row {
  readonly operator: string;
  readonly required: string;
  readonly optional: string;
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
}

/** The verdict on all results. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** Cases that need what the limits do not include. */
  readonly unsupported: number;
  /** Failures without an exception. */
  readonly unexpected: readonly CaseResult[];
  /** Exceptions whose case passes or, with `complete`, does not exist. */
  readonly stale: readonly string[];
}

/** Counts the results, and compares them with the exceptions. `complete` means that every case was run. */
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

/** A table with a row per operator, in the order of the results. */
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

/** `required` and `optional` as passed/total. */
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

/** One line per case that did not pass. */
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

/** The report as JSON. An infinite error is the string "Infinity". */
export function jsonReport(results: readonly CaseResult[], summary: Summary): string {
  const replacer = (_: string, value: unknown) => value === Infinity ? "Infinity" : value;
  const { passed, failed, stale, unsupported } = summary;
  return JSON.stringify({ passed, failed, unsupported, staleExceptions: stale, cases: results }, replacer, 1) + "\n";
}

function hasPassed({ outcome }: CaseResult): boolean {
  return outcome === "passed";
}
