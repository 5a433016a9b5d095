import { DefaultFailureConverter } from '@temporalio/common';

/** Puts messages and stacks of failures into a payload, so that the codec hides them too. Loaded by its path. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
