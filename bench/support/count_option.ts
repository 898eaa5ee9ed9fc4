/**
 * A number of rounds or runs on the command line.
 *
 * @module
 */

/** The number that an option names; `undefined`, after an error message and with exit code 1, if it names none from 1 on. */
export function countOption(option: string, text: string): number | undefined {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  console.error(`${option} must be a positive integer, not ${JSON.stringify(text)}.\nSee --help.`);
  Deno.exitCode = 1;
  return undefined;
}
