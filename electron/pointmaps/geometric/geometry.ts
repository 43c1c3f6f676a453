/**
 * What the sparse half knows about a pair of views, and what dense depth needs. All in view pixels and an arbitrary
 * unit.
 */
export interface PairGeometry {
  /** Row-major 4x4: camera b from camera a, in the unit of the sparse points. */
  secondFromFirst: Float64Array;
  /** View pixels. */
  focalA: number;
  focalB: number;
  centreA: [number, number];
  centreB: [number, number];
  /** Sparse points in camera a's frame, [n, 3]; they give the depth range. */
  points: Float64Array;
  /** View pixels of the sparse points, [n, 2] each. */
  pixelsA: Float64Array;
  pixelsB: Float64Array;
  /** Median triangulation angle, degrees. */
  parallax: number;
}
