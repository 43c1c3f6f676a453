export type * from '../geometry/sparse-model.js';
