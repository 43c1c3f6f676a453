import { openProject, openSample } from '../commands/project.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Button } from '../design/controls.js';
import { dayText } from '../design/format.js';
import { Icon } from '../design/icons.js';
import { useStudio } from '../store/studio.js';
import { desktop } from '../transport/index.js';
import { plural, t } from '../words/index.js';
import { PreferencesButton } from './TopBar.js';

export function StartPage() {
  return (
    <main className="start">
      <div className="corner">
        <CommandButton
          id="help.shortcuts"
          look="plain"
        >
          {t('Shortcuts')}
        </CommandButton>
        <PreferencesButton />
      </div>
      <div className="start-columns">
        <Begin />
        <Again />
      </div>
    </main>
  );
}

function Begin() {
  const upload = useStudio(({ upload }) => upload);
  return (
    <section aria-labelledby="begin">
      <img
        src="./icon.svg"
        alt=""
        width={44}
        height={44}
      />
      <h1 id="begin">Pointmap Studio</h1>
      <p className="quiet">
        {t(
          'Photos of anything, from any camera, become camera poses, depth maps, a coloured cloud and a textured mesh.',
        )}
      </p>
      <div className="drop-zone">
        <Icon name="photo" />
        <p>{upload ? t('Receiving {done} of {total} photos', upload) : t('Drop photos, a folder or a video here')}</p>
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
        <p className="faint">
          {desktop
            ? t('They stay where they are, and are never changed.')
            : t('Chosen photos stay where they are; dropped ones are copied. None is ever changed.')}
        </p>
      </div>
      <ol className="advice quiet">
        <li>{t('Walk around it: a new photo every step, each showing two thirds of the last.')}</li>
        <li>{t('Move, don’t turn on the spot; keep the zoom; sharp and evenly lit.')}</li>
        <li>{t('Plain walls, glass and mirrors are hard: let things with texture into the picture.')}</li>
      </ol>
    </section>
  );
}

function Again() {
  const recent = useStudio(({ recent }) => recent);
  const samples = useStudio(({ samples }) => samples);
  const info = useStudio(({ info }) => info);
  return (
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
      {recent.length === 0 && <p className="faint">{t('Projects that you open are listed here.')}</p>}
      <ul className="cards">
        {recent.slice(0, 6).map(({ path, name, photos, openedAt, picture }) => (
          <Card
            key={path}
            title={name}
            note={`${plural(photos, '{n} photo', '{n} photos')} · ${dayText(openedAt)}`}
            path={path}
            picture={picture}
            onOpen={() => void openProject(path)}
          />
        ))}
      </ul>
      <h2>{t('Samples')}</h2>
      <ul className="cards">
        {samples.map(({ id, title, photos, picture }) => (
          <Card
            key={id}
            title={title}
            note={plural(photos, '{n} photo', '{n} photos')}
            picture={picture}
            onOpen={() => void openSample(id)}
          />
        ))}
      </ul>
      <p className="faint">
        {info && `${t('Version {version}, {n} threads.', { version: info.version, n: info.threads })} `}
        {t('Nothing is sent anywhere: all of it runs on this machine.')}
      </p>
    </section>
  );
}

function Card({
  title,
  note,
  path,
  picture,
  onOpen,
}: {
  title: string;
  note: string;
  path?: string;
  picture: string | undefined;
  onOpen: () => void;
}) {
  return (
    <li>
      <Button
        look={['wide', 'plain']}
        className="card"
        onClick={onOpen}
        title={path}
      >
        {picture === undefined ? (
          <Icon name="photo" />
        ) : (
          <img
            src={`data:image/jpeg;base64,${picture}`}
            alt=""
            width={64}
            height={48}
          />
        )}
        <span className="card-text">
          <span className="truncate">{title}</span> <span className="faint">{note}</span>
        </span>
      </Button>
    </li>
  );
}
