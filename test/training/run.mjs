// Runs the training kit's tests with a Python that has PyTorch, or says that they were skipped. Usage: node
// test/training/run.mjs
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const kit = fileURLToPath(new URL('../../native-models/training', import.meta.url));

/** Interpreters in order of preference: a chosen one, the one on the path, the distribution's. */
const candidates = [process.env.POINTMAP_PYTHON, 'python3', '/usr/bin/python3', 'python'].filter(Boolean);
const python = candidates.find((name) => spawnSync(name, ['-c', 'import torch, numpy, PIL']).status === 0);

if (!python) {
  console.log(
    'Skipped: no Python with PyTorch, NumPy and Pillow was found. On Debian: apt-get install python3-torch python3-pil. Another one: POINTMAP_PYTHON.',
  );
  console.log('0 passed, 0 failed (skipped: PyTorch is missing)');
  process.exit(0);
}

const result = spawnSync(python, ['-B', `${here}main.py`, ...process.argv.slice(2)], {
  stdio: 'inherit',
  // More threads than free cores slow small tensors down by an order of magnitude.
  env: { ...process.env, PYTHONPATH: kit, OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? '1' },
});
process.exit(result.status ?? 1);
