import type { Photo } from './types.js';

/** Identifies what of a photo is looked at: its bytes, and the mask that hides some of it. For keys of what is kept. */
export const sightId = ({ id, mask }: Photo): string => (mask ? `${id}+${mask.id}` : id);

/** What is taken for granted of a photo's camera, as text; empty where nothing is. For keys of what is kept. */
export const knownText = ({ known }: Photo): string => (known ? JSON.stringify(known) : '');
