import { CommandButton } from '../commands/CommandButton.js';
import { Button, RemovableRow, Select, Slider, Switch } from '../design/controls.js';
import { countText } from '../design/format.js';
import { setBookmarks, useBookmarks, type Bookmark } from '../store/bookmarks.js';
import { setViewer, useStudio } from '../store/studio.js';
import type { ViewerSettings } from '../store/viewer-settings.js';
import { currentViewer } from '../viewer/handle.js';
import { t } from '../words/index.js';

const backgrounds = (): readonly { value: ViewerSettings['background']; title: string }[] => [
  { value: 'theme', title: t('as the theme') },
  { value: 'black', title: t('black') },
  { value: 'grey', title: t('grey') },
  { value: 'white', title: t('white') },
];

/** What of the view is set once in a while: what is drawn, views that are kept, pictures and a video of it. */
export function MoreSettings() {
  const settings = useStudio(({ viewer }) => viewer);
  return (
    <div className="viewer-more">
      <div className="row">
        <CommandButton
          id="view.grid"
          icon="grid"
          pressed={settings.grid}
        >
          {t('Grid')}
        </CommandButton>
        <CommandButton
          id="view.axes"
          icon="axes"
          pressed={settings.axes}
        >
          {t('Axes')}
        </CommandButton>
      </div>
      <Switch
        label={t('Shaded points')}
        checked={settings.shading}
        onChange={(shading) => setViewer({ shading })}
      />
      <Select
        label={t('Background')}
        value={settings.background}
        choices={backgrounds()}
        onChange={(background) => setViewer({ background })}
      />
      <Slider
        label={t('Size of cameras')}
        min={0.02}
        max={0.4}
        step={0.01}
        value={settings.frustumSize}
        format={(value) => `${Math.round(value * 100)} %`}
        onChange={(frustumSize) => setViewer({ frustumSize })}
      />
      <Switch
        label={t('Photos in the cameras')}
        checked={settings.images}
        onChange={(images) => setViewer({ images })}
      />
      <Switch
        label={t('Inferred points')}
        checked={settings.inferred}
        onChange={(inferred) => setViewer({ inferred })}
      />
      <Slider
        label={t('Most points drawn')}
        min={500_000}
        max={20_000_000}
        step={500_000}
        value={settings.pointBudget}
        format={countText}
        onChange={(pointBudget) => setViewer({ pointBudget })}
      />
      <Views />
      <Pictures />
    </div>
  );
}

const NO_VIEWS: readonly Bookmark[] = [];

/** Views that are kept: a click goes back to one. */
function Views() {
  const path = useStudio(({ project }) => project!.path);
  const views = useBookmarks((all) => all[path] ?? NO_VIEWS);
  return (
    <>
      <CommandButton
        id="view.keep"
        icon="plus"
      >
        {t('Keep this view')}
      </CommandButton>
      {views.length > 0 && (
        <ul className="view-list">
          {views.map((view) => (
            <RemovableRow
              key={view.name}
              remove={t('Remove {name}', { name: view.name })}
              onRemove={() =>
                setBookmarks(
                  path,
                  views.filter(({ name }) => name !== view.name),
                )
              }
            >
              <Button
                look="plain"
                onClick={() => currentViewer()?.stand(view.place)}
              >
                {view.name}
              </Button>
            </RemovableRow>
          ))}
        </ul>
      )}
    </>
  );
}

function Pictures() {
  const recording = useStudio(({ recording }) => recording);
  return (
    <>
      <div className="row">
        <CommandButton
          id="view.screenshot"
          icon="photo"
        >
          {t('Picture')}
        </CommandButton>
        <CommandButton
          id="view.still"
          icon="photo"
        >
          {t('Large')}
        </CommandButton>
      </div>
      <CommandButton
        id="view.turntable"
        icon={recording ? 'stop' : 'play'}
      >
        {recording ? t('Stop, {done} of {total} frames', recording) : t('Video of one turn')}
      </CommandButton>
    </>
  );
}
