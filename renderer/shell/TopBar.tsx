import { CommandButton } from '../commands/CommandButton.js';
import { isActive, useStudio } from '../store/studio.js';
import { Stages } from '../run/Stages.js';

export function TopBar() {
  const project = useStudio(({ project }) => project)!;
  const job = useStudio(({ job }) => job);
  const running = isActive(job);
  const paused = job.state === 'paused';
  return (
    <header className="top-bar">
      <div className="row truncate">
        <CommandButton
          id="project.close"
          look={['plain', 'square']}
          icon="close"
        />
        <h1 className="truncate">{project.saved ? `${project.name}.pointmap` : 'Unsaved project'}</h1>
        <span className="quiet">
          {project.photos.length} {project.photos.length === 1 ? 'photo' : 'photos'}
        </span>
      </div>
      <div className="row">
        <Stages />
        {running ? (
          <>
            <CommandButton
              id="run.pause"
              icon={paused ? 'play' : 'pause'}
            >
              {paused ? 'Resume' : 'Pause'}
            </CommandButton>
            <CommandButton
              id="run.cancel"
              icon="stop"
            >
              {job.state === 'cancelling' ? 'Cancelling…' : 'Cancel'}
            </CommandButton>
          </>
        ) : project.stale ? (
          <CommandButton
            id="run.realign"
            icon="play"
          >
            Realign
          </CommandButton>
        ) : null}
      </div>
      <div className="row end">
        <CommandButton
          id="edit.undo"
          look={['plain', 'square']}
          icon="undo"
        />
        <CommandButton
          id="edit.redo"
          look={['plain', 'square']}
          icon="redo"
        />
        <CommandButton
          id="help.palette"
          look={['plain', 'square']}
          icon="search"
        />
        <ThemeButton />
        {!project.saved && <CommandButton id="project.save">Save</CommandButton>}
        <CommandButton
          id="export.open"
          look="primary"
          icon="export"
        >
          Export
        </CommandButton>
      </div>
    </header>
  );
}

export function ThemeButton() {
  const theme = useStudio(({ theme }) => theme);
  return (
    <CommandButton
      id="view.theme"
      look={['plain', 'square']}
      icon={theme === 'dark' ? 'sun' : 'moon'}
    />
  );
}
