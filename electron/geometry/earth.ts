/** WGS 84 (NIMA TR8350.2): half the equatorial axis in metres, and the square of the eccentricity. */
const EQUATORIAL = 6_378_137;
const FLATTENING = 1 / 298.257223563;
const ECCENTRICITY2 = FLATTENING * (2 - FLATTENING);

/** Degrees, and metres above the ellipsoid (or above whatever the altitudes at hand are above). */
export interface Geodetic {
  latitude: number;
  longitude: number;
  altitude: number;
}

const radians = Math.PI / 180;

/** Earth-centred coordinates, metres. */
function centred({ latitude, longitude, altitude }: Geodetic): [number, number, number] {
  const [sinLat, cosLat] = [Math.sin(latitude * radians), Math.cos(latitude * radians)];
  const n = EQUATORIAL / Math.sqrt(1 - ECCENTRICITY2 * sinLat ** 2);
  return [
    (n + altitude) * cosLat * Math.cos(longitude * radians),
    (n + altitude) * cosLat * Math.sin(longitude * radians),
    (n * (1 - ECCENTRICITY2) + altitude) * sinLat,
  ];
}

/** Rows: east, north and up at a place, in earth-centred axes. */
function axesAt({ latitude, longitude }: Geodetic): number[] {
  const [sinLat, cosLat] = [Math.sin(latitude * radians), Math.cos(latitude * radians)];
  const [sinLon, cosLon] = [Math.sin(longitude * radians), Math.cos(longitude * radians)];
  return [-sinLon, cosLon, 0, -sinLat * cosLon, -sinLat * sinLon, cosLat, cosLat * cosLon, cosLat * sinLon, sinLat];
}

/** Metres east, north and up of an origin, in the plane that touches the ellipsoid there. */
export function eastNorthUp(place: Geodetic, origin: Geodetic): [number, number, number] {
  const [p, o, A] = [centred(place), centred(origin), axesAt(origin)];
  const d = p.map((value, i) => value - o[i]!);
  return [0, 1, 2].map((i) => A[3 * i]! * d[0]! + A[3 * i + 1]! * d[1]! + A[3 * i + 2]! * d[2]!) as [
    number,
    number,
    number,
  ];
}

/** The inverse of `eastNorthUp`, by Newton's method: within a micrometre after a few steps, anywhere near the ground. */
export function placeAt(offset: readonly [number, number, number], origin: Geodetic): Geodetic {
  const place = { ...origin };
  const metresPerDegree = radians * EQUATORIAL;
  for (let step = 0; step < 8; step++) {
    const at = eastNorthUp(place, origin);
    const [east, north, up] = offset.map((value, i) => value - at[i]!) as [number, number, number];
    place.longitude += east / (metresPerDegree * Math.cos(place.latitude * radians));
    place.latitude += north / metresPerDegree;
    place.altitude += up;
  }
  return place;
}

/**
 * The coordinate system of a frame whose origin is a place, x east and y north: a transverse Mercator projection centred
 * there, at the height of the origin, as OGC WKT 1. Within 1 km of the origin its plane differs from the frame's by less
 * than a tenth of a millimetre; heights are above the plane, which leaves the ground by 8 cm at 1 km.
 */
export function localSystem({ latitude, longitude, altitude }: Geodetic): { name: string; wkt: string } {
  const [lat, lon] = [latitude.toFixed(9), longitude.toFixed(9)];
  const scale = (1 + altitude / 6_371_008.8).toFixed(10);
  const name = `local transverse Mercator at ${latitude.toFixed(6)}, ${longitude.toFixed(6)}, WGS 84`;
  const wkt =
    `PROJCS["${name}",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,` +
    `AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],` +
    `UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]],` +
    `PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",${lat}],PARAMETER["central_meridian",${lon}],` +
    `PARAMETER["scale_factor",${scale}],PARAMETER["false_easting",0],PARAMETER["false_northing",0],` +
    `UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH]]`;
  return { name, wkt };
}
