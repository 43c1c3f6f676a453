import { median } from '../../numerics/median.js';
import type { ViewCamera } from '../../../native-models/da3/camera-numbers.js';

/**
 * Cameras as the network takes them: in the first one's frame, the median distance to it 1 (poses of any other size
 * than it saw in training make it doubt them).
 */
export function networkCameras(firstFromCamera: readonly Float64Array[], focals: readonly number[]): ViewCamera[] {
  const unit = median(firstFromCamera.slice(1).map((m) => Math.hypot(m[3]!, m[7]!, m[11]!))) || 1;
  return firstFromCamera.map((m, view) => {
    const scaled = Float64Array.from(m);
    for (const at of [3, 7, 11]) scaled[at] = scaled[at]! / unit;
    return { worldFromCamera: scaled, fx: focals[view]!, fy: focals[view]! };
  });
}
