/** What a child says to the supervisor: something happened once, or a promise was broken. */
export type ChildMessage = { count: string } | { broken: string };

let stopped = false;

/** True once the supervisor asked for the end. */
export const stopping = (): boolean => stopped;

/** Ends in good order on `stop`, and at once when the supervisor is gone. */
export function stopAtParentsEnd(): void {
  process.on('message', (message) => {
    if (message === 'stop') stopped = true;
  });
  process.on('disconnect', () => {
    if (!stopped) process.exit(4);
  });
}

const send = (message: ChildMessage): void => {
  if (process.connected) process.send?.(message);
};

export const report = (count: string): void => send({ count });
export const reportBroken = (broken: string): void => send({ broken });

/** Lets the process end: its channel to the supervisor is all that holds it. */
export function leave(): void {
  if (process.connected) process.disconnect();
}
