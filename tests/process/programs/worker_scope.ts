/** The scope of a worker, which the types of the main scope do not describe. */
export const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
  close(): void;
};
