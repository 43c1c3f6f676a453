/** Serves the page of the 3D view, its code as Vite bundles it and its clouds and photos as the caller gives them. */
import react from '@vitejs/plugin-react';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

/** @param binary answers a binary resource by name, or undefined for 404 @returns its address */
export async function serveViewerPage(
  outDir: string,
  binary: (name: string) => Uint8Array | undefined,
): Promise<{ address: string; close: () => Promise<void> }> {
  const root = fileURLToPath(new URL('.', import.meta.url));
  const plugin = {
    name: 'binary',
    configurePreviewServer: ({
      middlewares,
    }: {
      middlewares: {
        use: (
          path: string,
          handler: (
            request: { url?: string },
            response: { statusCode: number; end: (bytes?: Uint8Array) => void },
          ) => void,
        ) => void;
      };
    }) => {
      middlewares.use('/binary', (request, response) => {
        const bytes = binary(decodeURI((request.url ?? '/').slice(1)));
        if (!bytes) response.statusCode = 404;
        response.end(bytes);
      });
    },
  };
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [react()],
    build: { outDir, emptyOutDir: true, target: 'chrome130', chunkSizeWarningLimit: 2000 },
  });
  const server = await preview({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [plugin],
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1' },
  });
  const { port } = server.httpServer.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
