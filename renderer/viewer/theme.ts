/** Colours of the page that the drawing needs; read from its tokens, so that they are stated once. */
export interface ViewerColours {
  view: string;
  line: string;
  accent: string;
  grid: string;
}

export function themeColours(): ViewerColours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return { view: read('--view'), line: read('--text-faint'), accent: read('--accent'), grid: read('--line-strong') };
}
