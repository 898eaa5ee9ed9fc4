/**
 * What a command writes to, and what happens at Ctrl-C.
 *
 * @module
 */
import { styleText } from "node:util";

/** The names of styles of text, as node:util has them. */
export type Style = Parameters<typeof styleText>[0];

/** Standard output and standard error, or what stands for them in a test. */
export interface Terminal {
  /** Whether standard output shows colours. */
  readonly colors: boolean;
  /** Writes to standard output. */
  write(text: string): void;
  /** Writes to standard error. */
  writeError(text: string): void;
  /** Shows how far a long job is, where a person looks on; without a text, takes the last one away. */
  progress(text?: string): void;
  /** Calls a function, which must not wait for anything, if Ctrl-C ends the program before the result is disposed. */
  onInterrupt(cleanUp: () => void): Disposable;
}

/** The status of a program that was ended by Ctrl-C. */
export const INTERRUPTED = 130;

const ERASE_LINE = "\r\x1b[K";

/** The terminal of this process. From then on Ctrl-C cleans up and ends the process. */
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

/** Text in a style, where the terminal shows colours. */
export function styled(terminal: Terminal, style: Style, text: string): string {
  return terminal.colors ? styleText(style, text, { validateStream: false }) : text;
}

/** Writes the whole text: a pipe may take a part of it only. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}
