/**
 * The output of a command, and cleaning up on Ctrl-C.
 *
 * @module
 */
import { styleText } from "node:util";

/** The text styles of `node:util`. */
export type Style = Parameters<typeof styleText>[0];

/** Standard output and standard error, or their substitutes in a test. */
export interface Terminal {
  /** Whether standard output shows colours. */
  readonly colors: boolean;
  /** Writes to standard output. */
  write(text: string): void;
  /** Writes to standard error. */
  writeError(text: string): void;
  /** Shows the progress of a long job on a terminal; without a text, erases it. */
  progress(text?: string): void;
  /** Calls a synchronous function if Ctrl-C ends the program before the result is disposed. */
  onInterrupt(cleanUp: () => void): Disposable;
}

/** The exit status after Ctrl-C. */
export const INTERRUPTED = 130;

const ERASE_LINE = "\r\x1b[K";

/** Returns the terminal of this process. From now on, Ctrl-C cleans up and ends the process. */
export function processTerminal(): Terminal {
  const cleanUps = new Set<() => void>();
  const isWatched = Deno.stderr.isTerminal();
  Deno.addSignalListener("SIGINT", () => {
    if (isWatched) writeAll(Deno.stderr, ERASE_LINE);
    for (const cleanUp of cleanUps) cleanUp();
    Deno.exit(INTERRUPTED);
  });
  return {
    colors: Deno.stdout.isTerminal() && !Deno.noColor,
    write: (text) => writeAll(Deno.stdout, text),
    writeError: (text) => writeAll(Deno.stderr, text),
    progress: (text = "") => isWatched && writeAll(Deno.stderr, ERASE_LINE + text),
    onInterrupt: (cleanUp) => {
      cleanUps.add(cleanUp);
      return { [Symbol.dispose]: () => void cleanUps.delete(cleanUp) };
    },
  };
}

/** Styles text if the terminal shows colours. */
export function styled(terminal: Terminal, style: Style, text: string): string {
  return terminal.colors ? styleText(style, text, { validateStream: false }) : text;
}

/** Writes the whole text: a single write to a pipe may be partial. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}
