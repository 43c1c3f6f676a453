import { lazy, Suspense, useEffect, useState, type DragEvent } from 'react';
import { ContextMenu } from '../commands/ContextMenu.js';
import { listenForKeys } from '../commands/keys.js';
import { addDropped } from '../commands/project.js';
import { Palette } from '../commands/Palette.js';
import { Shortcuts } from '../commands/Shortcuts.js';
import { ExportDialog } from '../export/ExportDialog.js';
import { MaskDialog } from '../photos/masks/MaskDialog.js';
import { FileDialog } from '../files/FileDialog.js';
import { NetworksDialog } from '../preferences/NetworksDialog.js';
import { PreferencesDialog } from '../preferences/PreferencesDialog.js';
import { useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { Notices } from './Notices.js';
import { StartPage } from './StartPage.js';
import { StatusBar } from './StatusBar.js';
import { TopBar } from './TopBar.js';

// three.js and the panels come after the start page has been painted.
const Workspace = lazy(() => import('./Workspace.js'));

export function App() {
  const project = useStudio(({ project }) => project !== null);
  const ready = useStudio(({ ready }) => ready);
  const theme = useStudio(({ theme }) => theme);
  const dialog = useStudio(({ dialog }) => dialog);
  const fileQuestion = useStudio(({ fileQuestion }) => fileQuestion);
  const { dropping, handlers } = useDrop();
  useEffect(listenForKeys, []);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return (
    <div
      className={`app${dropping ? ' dropping' : ''}`}
      {...handlers}
    >
      {project ? (
        <>
          <TopBar />
          <main className="work">
            <Suspense fallback={<div className="empty">{t('Opening the workspace…')}</div>}>
              <Workspace />
            </Suspense>
          </main>
          <StatusBar />
        </>
      ) : ready ? (
        <StartPage />
      ) : (
        <div className="empty">{t('Connecting to the engine…')}</div>
      )}
      {dialog === 'palette' && <Palette />}
      {dialog === 'shortcuts' && <Shortcuts />}
      {dialog === 'preferences' && <PreferencesDialog />}
      {dialog === 'networks' && <NetworksDialog />}
      {dialog === 'export' && <ExportDialog />}
      {dialog === 'mask' && <MaskDialog />}
      {fileQuestion && (
        <FileDialog
          key={fileQuestion.title}
          question={fileQuestion}
        />
      )}
      <Notices />
      <ContextMenu />
      {dropping && <div className="drop-hint">{t('Drop photos, a folder, or a project')}</div>}
    </div>
  );
}

/** Files dragged over any place of the window. */
function useDrop() {
  const [dropping, setDropping] = useState(false);
  const withFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files');
  return {
    dropping,
    handlers: {
      onDragOver: (event: DragEvent) => {
        if (!withFiles(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy' as const;
        setDropping(true);
      },
      onDragLeave: (event: DragEvent) => {
        if (event.relatedTarget === null || !event.currentTarget.contains(event.relatedTarget as Node))
          setDropping(false);
      },
      onDrop: (event: DragEvent) => {
        if (!withFiles(event)) return;
        event.preventDefault();
        setDropping(false);
        void addDropped(event.dataTransfer);
      },
    },
  };
}
