import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The renderer's bundle. Relative addresses, so that it works behind http and behind the desktop's own protocol. */
export default defineConfig({
  root: 'renderer',
  base: './',
  publicDir: '../resources/icon/web',
  plugins: [react()],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'chrome130',
    // An inlined module preload or asset would need an exception in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
});
