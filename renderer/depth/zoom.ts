/** The part of a picture that is shown: how much larger than whole, and the fraction of it at its left and top edge. */
export interface Zoom {
  scale: number;
  left: number;
  top: number;
}

export const whole: Zoom = { scale: 1, left: 0, top: 0 };
const LARGEST = 40;

function inside({ scale, left, top }: Zoom): Zoom {
  const most = 1 - 1 / scale;
  return { scale, left: Math.min(most, Math.max(0, left)), top: Math.min(most, Math.max(0, top)) };
}

/** Nearer by a factor; what lies at a place of the window (fractions of it) stays there. */
export function zoomed(zoom: Zoom, factor: number, x = 0.5, y = 0.5): Zoom {
  const scale = Math.min(LARGEST, Math.max(1, zoom.scale * factor));
  return inside({
    scale,
    left: zoom.left + x / zoom.scale - x / scale,
    top: zoom.top + y / zoom.scale - y / scale,
  });
}

/** Moved by fractions of the window. */
export const moved = (zoom: Zoom, dx: number, dy: number): Zoom =>
  inside({ ...zoom, left: zoom.left - dx / zoom.scale, top: zoom.top - dy / zoom.scale });

/** The fraction of the picture at a place of the window. */
export const pictureAt = ({ scale, left, top }: Zoom, x: number, y: number): { x: number; y: number } => ({
  x: left + x / scale,
  y: top + y / scale,
});

/**
 * As large as some pictures of one shape become side by side, in as many rows as serves that.
 * @param caption height below each, and `gap` between them, pixels
 */
export function fitting(
  size: { width: number; height: number },
  count: number,
  aspect: number,
  { caption, gap }: { caption: number; gap: number },
): { columns: number; width: number; height: number } {
  let best = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const across = (size.width - (columns - 1) * gap) / columns;
    const down = (size.height - (rows - 1) * gap) / rows - caption;
    const width = Math.max(0, Math.floor(Math.min(across, down * aspect)));
    if (width > best.width) best = { columns, width, height: Math.round(width / aspect) };
  }
  return best;
}
