export { loadCloud, makeCloud, type CloudData } from './cloud-data.js';
export { currentViewer, type ViewerHandle } from './handle.js';
export { defaultViewerSettings, type CloudStatistics, type ViewerSettings } from '../store/viewer-settings.js';
export { Viewer, type ViewerProps } from './Viewer.js';
