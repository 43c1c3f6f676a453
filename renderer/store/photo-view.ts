import { useMemo } from 'react';
import type { PhotoInfo } from '../../electron/contract/api.js';
import { useStudio } from './studio.js';

export const photoSorts = ['order', 'name', 'taken', 'sharpness', 'error'] as const;
export const photoFilters = ['all', 'placed', 'lost', 'off', 'doubtful'] as const;

/** Which photos are listed, and in which order; none of it is part of the project. */
export interface PhotoView {
  sort: (typeof photoSorts)[number];
  show: (typeof photoFilters)[number];
}

const filters: Readonly<Record<PhotoView['show'], (photo: PhotoInfo) => boolean>> = {
  all: () => true,
  placed: ({ enabled, placed }) => enabled && placed === true,
  lost: ({ enabled, placed }) => enabled && placed === false,
  off: ({ enabled }) => !enabled,
  doubtful: ({ blurred, duplicateOf, missing }) => blurred || duplicateOf !== undefined || missing,
};

const byName = new Intl.Collator(undefined, { numeric: true });
const orders: Readonly<Record<Exclude<PhotoView['sort'], 'order'>, (a: PhotoInfo, b: PhotoInfo) => number>> = {
  name: (a, b) => byName.compare(a.name, b.name),
  // Without a time last.
  taken: (a, b) => (a.takenAt ?? '~').localeCompare(b.takenAt ?? '~'),
  // What asks for a look comes first: the softest, and the largest error.
  sharpness: (a, b) => a.sharpness - b.sharpness,
  error: (a, b) => (b.reprojection ?? -1) - (a.reprojection ?? -1),
};

export function shownPhotos(photos: readonly PhotoInfo[], { sort, show }: PhotoView): readonly PhotoInfo[] {
  if (sort === 'order' && show === 'all') return photos;
  const chosen = photos.filter(filters[show]);
  return sort === 'order' ? chosen : chosen.sort(orders[sort]);
}

const NO_PHOTOS: readonly PhotoInfo[] = [];

/** The photos as they are listed now. */
export function useShownPhotos(): readonly PhotoInfo[] {
  const photos = useStudio(({ project }) => project?.photos ?? NO_PHOTOS);
  const view = useStudio(({ photoView }) => photoView);
  return useMemo(() => shownPhotos(photos, view), [photos, view]);
}
