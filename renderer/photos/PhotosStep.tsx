import { PhotoList } from './PhotoList.js';

/** The first step: which photos, and what is known of their cameras before anything is computed. */
export function PhotosStep() {
  return <PhotoList />;
}
