import type { Photo } from './types.js';

/** Identifies what of a photo is looked at: its bytes, and the mask that hides some of it. For keys of what is kept. */
export const sightId = ({ id, mask }: Photo): string => (mask ? `${id}+${mask.id}` : id);
