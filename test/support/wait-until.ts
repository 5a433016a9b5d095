const POLL_MS = 50;

class StillPending extends Error {
  override name = 'StillPending';
}

/** What `waitUntil` throws when the time is over. */
export const isPending = (error: unknown): boolean => error instanceof StillPending;

/** Resolves when the condition holds; throws after `timeoutMs`. For conditions nobody announces. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new StillPending(`The condition did not hold within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
