// Packages for Windows, macOS and Linux (electron-builder's configuration). `npm run package` builds, draws the icons
// and makes the packages of the system it runs on.
import { electronFiles } from './electron-files.mjs';

const { version, sqlite } = electronFiles();

/** @type {import('electron-builder').Configuration} */
export default {
  appId: 'studio.pointmap.desktop',
  productName: 'Pointmap Studio',
  copyright: 'Apache-2.0',
  electronVersion: version,
  directories: { output: 'dist/packages', buildResources: 'dist/icons' },
  artifactName: 'pointmap-studio-${version}-${os}-${arch}.${ext}',
  // The installed packages keep the build of this machine's Node; Electron's SQLite comes from a place of its own,
  // below.
  npmRebuild: false,
  files: [
    'dist/electron/**',
    'dist/renderer/**',
    'resources/samples/**',
    'resources/models/**',
    'resources/vocabulary/**',
    'package.json',
    'LICENSE',
    'NOTICE',
    '!node_modules/better-sqlite3/{build,deps,src}/**',
    '!node_modules/libheif-js/libheif/**',
    // Other systems' native code. (A list of a platform's own would bring back everything that is left out here.)
    `!node_modules/onnxruntime-node/bin/napi-v*/!(${process.platform})/**`,
    '!**/*.{md,map,markdown}',
    '!**/*.d.{ts,mts,cts}',
  ],
  asar: true,
  // The engine process, its worker threads and the command line run from real files, beside the native modules and
  // photos that they load by their paths.
  asarUnpack: ['package.json', 'dist/**', 'resources/{samples,models,vocabulary}/**', 'node_modules/**'],
  extraResources: [
    // libvips' list of its parts and their licences, the LGPL's among them, is its README, which `files` never takes.
    {
      from: 'node_modules/@img',
      to: 'licences',
      filter: ['sharp-libvips-*/README.md', 'sharp-libvips-*/versions.json'],
    },
    { from: sqlite, to: 'native/better_sqlite3.node' },
    { from: 'build/launchers', to: 'bin', filter: process.platform === 'win32' ? 'pointmap.cmd' : 'pointmap' },
  ],
  fileAssociations: [
    {
      ext: 'pointmap',
      name: 'Pointmap Studio project',
      description: 'Pointmap Studio project',
      mimeType: 'application/x-pointmap-studio',
      role: 'Editor',
    },
  ],
  // The command line is the program as a bare Node; options for Node itself, and a debugger, it takes from nobody.
  electronFuses: { runAsNode: true, enableNodeOptionsEnvironmentVariable: false, enableNodeCliInspectArguments: false },
  win: { target: ['nsis', 'portable'], icon: 'dist/icons/icon.ico' },
  nsis: {
    oneClick: false,
    perMachine: false,
    allowToChangeInstallationDirectory: true,
    artifactName: 'pointmap-studio-${version}-windows-${arch}-setup.${ext}',
  },
  portable: { artifactName: 'pointmap-studio-${version}-windows-${arch}-portable.${ext}' },
  mac: {
    target: ['dmg'],
    icon: 'dist/icons/icon.icns',
    category: 'public.app-category.graphics-design',
    hardenedRuntime: true,
  },
  linux: {
    target: ['AppImage', 'deb'],
    icon: 'dist/icons/linux',
    category: 'Graphics',
    executableName: 'pointmap-studio',
    synopsis: 'Photos in, camera poses, depth maps and a coloured point cloud out',
    maintainer: 'Pointmap Studio <pointmap-studio@users.noreply.github.com>',
  },
};
