// `npm start`: the desktop window. It is not built yet; this says so and what to use meanwhile.
console.error('The desktop window is not part of this version yet: use the command line, "npm run -s pointmap -- reconstruct PHOTOS... --out DIR", and open the scene.glb that it writes in any 3D viewer.');
process.exitCode = 1;
