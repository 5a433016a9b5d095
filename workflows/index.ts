export { cutover } from './cutover';
export { guardian } from './guardian';
export { rollback } from './rollback';
export { wave } from './wave';
