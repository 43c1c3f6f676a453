import { shownPhotos } from './photo-view.js';
import { setStudio, studio } from './studio.js';

/** Selects as file lists do: alone, one more with Control, all between with Shift. */
export function choose(
  id: string,
  { shiftKey = false, ctrlKey = false, metaKey = false }: { shiftKey?: boolean; ctrlKey?: boolean; metaKey?: boolean },
): void {
  const { selectedPhotos, project, viewer, photoView } = studio();
  const ids = shownPhotos(project?.photos ?? [], photoView).map((photo) => photo.id);
  let next: string[];
  if (shiftKey && selectedPhotos.length > 0) {
    const [from, to] = [ids.indexOf(selectedPhotos[0]!), ids.indexOf(id)];
    const between = ids.slice(Math.min(from, to), Math.max(from, to) + 1);
    // The anchor stays first, so that the next Shift starts from it again; the one clicked is last, the one shown.
    next = [
      selectedPhotos[0]!,
      ...between.filter((each) => each !== selectedPhotos[0] && each !== id),
      ...(id === selectedPhotos[0] ? [] : [id]),
    ];
  } else if (ctrlKey || metaKey)
    next = selectedPhotos.includes(id) ? selectedPhotos.filter((each) => each !== id) : [...selectedPhotos, id];
  else next = [id];
  // Looking through one camera and choosing another photo moves on to it.
  const camera =
    next.length === 1 &&
    viewer.lookThrough !== undefined &&
    project?.scene?.cameras.some(({ photo }) => photo === next[0]);
  setStudio({ selectedPhotos: next, ...(camera ? { viewer: { ...viewer, lookThrough: next[0] } } : {}) });
}
