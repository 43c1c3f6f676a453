import { openProject, openSample } from '../commands/project.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Button } from '../design/controls.js';
import { Icon } from '../design/icons.js';
import { useStudio } from '../store/studio.js';
import { ThemeButton } from './TopBar.js';
import { t } from '../words/index.js';

export function StartPage() {
  const recent = useStudio(({ recent }) => recent);
  const samples = useStudio(({ samples }) => samples);
  const info = useStudio(({ info }) => info);
  const upload = useStudio(({ upload }) => upload);
  return (
    <main className="start">
      <div className="corner">
        <CommandButton
          id="help.shortcuts"
          look="plain"
        >
          {t('Shortcuts')}
        </CommandButton>
        <ThemeButton />
      </div>
      <div className="start-columns">
        <section aria-labelledby="begin">
          <img
            src="./icon.svg"
            alt=""
            width={44}
            height={44}
          />
          <h1 id="begin">{t('Pointmap Studio')}</h1>
          <p className="quiet">
            {t(
              'A handful of photos in, of anything, from any camera. Camera poses, depth maps and a coloured point cloud out.',
            )}
          </p>
          <div className="drop-zone">
            <Icon name="photo" />
            <p>
              {upload
                ? t('Receiving {v0} of {v1} photos…', { v0: upload.done, v1: upload.total })
                : t('Drop photos or a folder here')}
            </p>
            <div className="row">
              <CommandButton
                id="photos.add"
                look={['primary', 'large']}
                icon="plus"
              >
                {t('Choose photos')}
              </CommandButton>
              <CommandButton
                id="photos.addFolder"
                look="large"
                icon="folder"
              >
                {t('Choose a folder')}
              </CommandButton>
            </div>
            <p className="faint">{t('They stay where they are, and are never changed.')}</p>
          </div>
        </section>
        <section aria-labelledby="again">
          <div className="spread">
            <h2 id="again">{t('Recent projects')}</h2>
            <CommandButton
              id="project.open"
              look="plain"
            >
              {t('Open…')}
            </CommandButton>
          </div>
          {recent.length === 0 ? (
            <p className="faint">{t('Projects that you open are listed here.')}</p>
          ) : (
            <ul className="cards">
              {recent.slice(0, 6).map(({ path, name, photos, openedAt }) => (
                <li key={path}>
                  <Button
                    look={['wide', 'plain']}
                    className="card"
                    onClick={() => openProject(path)}
                    title={path}
                  >
                    <Icon name="file" />
                    <span className="truncate">{name}</span>
                    <span className="faint">
                      {photos} {t('photos ·')} {new Date(openedAt).toLocaleDateString()}
                    </span>
                  </Button>
                </li>
              ))}
            </ul>
          )}
          <h2>{t('Samples')}</h2>
          <ul className="cards">
            {samples.map(({ id, title, photos }) => (
              <li key={id}>
                <Button
                  look={['wide', 'plain']}
                  className="card"
                  onClick={() => openSample(id)}
                >
                  <Icon name="photo" />
                  <span className="truncate">{title}</span>
                  <span className="faint">
                    {photos} {t('photos')}
                  </span>
                </Button>
              </li>
            ))}
          </ul>
          <p className="faint">
            {info && `Version ${info.version}, ${info.threads} threads. `}
            {t('Nothing is sent anywhere: all of it runs on this machine.')}
          </p>
        </section>
      </div>
    </main>
  );
}
