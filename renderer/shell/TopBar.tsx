import { CommandButton } from '../commands/CommandButton.js';
import { plural, t } from '../words/index.js';
import { stepText } from '../words/step-text.js';
import { isActive, useStudio } from '../store/studio.js';
import { RunButton } from '../run/RunButton.js';
import { Stages } from '../run/Stages.js';

/** The project's name, the run, and what is wanted at any step. */
export function TopBar() {
  const project = useStudio(({ project }) => project)!;
  const name = project.saved ? `${project.name}.pointmap` : t('Unsaved project');
  return (
    <header className="top-bar">
      <div className="row start-of-bar">
        <CommandButton
          id="project.close"
          look={['plain', 'square']}
          icon="home"
        />
        <h1
          className="truncate"
          title={project.saved ? project.path : name}
        >
          {name}
        </h1>
        <span className="quiet photo-count">{plural(project.photos.length, '{n} photo', '{n} photos')}</span>
      </div>
      <div className="row middle">
        <Stages />
        <RunControls />
      </div>
      <div className="row end">
        <CommandButton
          id="edit.undo"
          look="plain"
          word={t('Undo')}
          step={stepText(project.canUndo)}
          icon="undo"
        />
        <CommandButton
          id="edit.redo"
          look="plain"
          word={t('Redo')}
          step={stepText(project.canRedo)}
          icon="redo"
        />
        <CommandButton
          id="help.palette"
          look="plain"
          word={t('Commands')}
          icon="search"
        />
        <PreferencesButton />
        {!project.saved && <CommandButton id="project.save">{t('Save')}</CommandButton>}
        <CommandButton
          id="export.open"
          look="primary"
          icon="export"
        >
          {t('Export')}
        </CommandButton>
      </div>
    </header>
  );
}

function RunControls() {
  const stale = useStudio(({ project }) => project?.stale);
  const state = useStudio(({ job }) => job.state);
  if (isActive({ state }))
    return (
      <>
        <CommandButton
          id="run.pause"
          icon={state === 'paused' ? 'play' : 'pause'}
        >
          {state === 'paused' ? t('Resume') : t('Pause')}
        </CommandButton>
        <CommandButton
          id="run.cancel"
          icon="stop"
        >
          {state === 'cancelling' ? t('Cancelling…') : t('Cancel')}
        </CommandButton>
      </>
    );
  return (
    <>
      <RunButton
        place="bar"
        look="primary"
      />
      {stale && state !== 'cancelled' && state !== 'failed' && (
        <CommandButton
          id="run.realign"
          icon="play"
        >
          {t('Realign')}
        </CommandButton>
      )}
    </>
  );
}

export function PreferencesButton() {
  return (
    <CommandButton
      id="app.preferences"
      look="plain"
      word={t('Preferences')}
      icon="settings"
    />
  );
}
