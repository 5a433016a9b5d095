import { join } from 'node:path';

/** While this file is there, workers with `dir` as their BREAK_DIR wait before the effect of `activity`. */
export const heldFile = (dir: string, activity: string): string => join(dir, `held-${activity}`);
