import { orbit, street } from './fixtures/large-set.js';
import { rmse, simulate } from './bench/scale/sparse.js';
import { buildTracks } from '../electron/sparse/tracks.js';
import { buildStructure, STRUCTURE_DEFAULTS } from '../electron/sparse/structure.js';
import { relative } from './sparse/synthetic.js';
const n = Number(process.argv[3]); const set = process.argv[2]==='orbit'? orbit(n): street(n);
const input = simulate(set, { wrong: 0.01 });
let t = process.cpuUsage();
const pieces = await buildStructure({ photoCount: n, lensOf: new Array(n).fill(0), lenses: [{focal: input.focal, k1: 0, prior: {focal: input.focal, sigma: 0.05}}],
 tracks: buildTracks(input.features, input.matches), position: input.position,
 pairs: input.matches.map(({a,b,matches}) => ({a,b,...relative(set.cameras[a]!, set.cameras[b]!), inlierCount: matches.length/2, parallax: 5, rotationShare: 0})) }, {...STRUCTURE_DEFAULTS, pixel: 1/1600});
const d = process.cpuUsage(t);
console.log(set.name, pieces.map(p=>p.cameras.size+'/'+p.points.length), 'cpu', (d.user+d.system)/1e6, 'rmse %', 100*rmse(set, pieces[0]!.cameras), process.resourceUsage().maxRSS/1024|0);
