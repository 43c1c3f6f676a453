import { create } from 'zustand';
import type { ViewPlace } from './viewer-settings.js';

/** A view that is kept, by a name. */
export interface Bookmark {
  name: string;
  place: ViewPlace;
}

const KEY = 'views';

/** By the path of the project: what a person looks at is theirs, not the project's. */
export const useBookmarks = create<Readonly<Record<string, readonly Bookmark[]>>>(() => {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, Bookmark[]>;
  } catch {
    return {};
  }
});

export function setBookmarks(project: string, bookmarks: readonly Bookmark[]): void {
  useBookmarks.setState({ [project]: bookmarks });
  try {
    localStorage.setItem(KEY, JSON.stringify(useBookmarks.getState()));
  } catch {
    // A browser that keeps nothing: they hold for this visit.
  }
}
