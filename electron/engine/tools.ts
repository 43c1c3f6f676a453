// The shells reach the rooms through the engine only.
export { alignFile } from '../alignment/report.js';
export type { AlignmentReport } from '../alignment/report.js';
export { recover } from '../project/recover.js';
export { parseStrategy } from '../pairs/strategy.js';
