// `npm run lint`: format, types and rules beside each other, each a process on one core. What one of them says is printed
// whole when it has ended.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const checks = [
  ['prettier/bin/prettier.cjs', '--check', '.'],
  ['typescript/bin/tsc', '-p', '.'],
  ['eslint/bin/eslint.js', '.'],
];

/** @param {string[]} command */
function run([module, ...words]) {
  const started = Date.now();
  const child = spawn(process.execPath, [`node_modules/${module}`, ...words], { cwd: root });
  const said = [];
  child.stdout.on('data', (chunk) => said.push(chunk));
  child.stderr.on('data', (chunk) => said.push(chunk));
  return new Promise((resolve) =>
    child.on('close', (code) => {
      const seconds = Math.round((Date.now() - started) / 1000);
      console.log(`${module.split('/')[0]}: ${code === 0 ? 'passed' : 'failed'} in ${seconds} s`);
      process.stdout.write(Buffer.concat(said));
      resolve(code === 0);
    }),
  );
}

const passed = await Promise.all(checks.map(run));
process.exit(passed.every(Boolean) ? 0 : 1);
