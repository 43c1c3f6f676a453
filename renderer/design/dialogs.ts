import { useSyncExternalStore } from 'react';

/** Modal windows that are open, the topmost last: beyond it nothing can be seen well or clicked. */
let open: readonly HTMLElement[] = [];
const listeners = new Set<() => void>();

function change(next: readonly HTMLElement[]): void {
  open = next;
  for (const listener of listeners) listener();
}

/** @returns to be called when it is closed */
export function enterDialog(dialog: HTMLElement): () => void {
  change([...open, dialog]);
  return () => change(open.filter((each) => each !== dialog));
}

/** The topmost modal window; what must be seen whatever is open belongs inside it. */
export const useTopDialog = (): HTMLElement | undefined =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open.at(-1),
  );
