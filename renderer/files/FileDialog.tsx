import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import type { Result } from '../../electron/contract/api.js';
import { Button, Dialog, TextField } from '../design/controls.js';
import { Icon } from '../design/icons.js';
import { bytesText } from '../design/format.js';
import type { FileQuestion } from '../store/studio.js';
import { api } from '../transport/index.js';
import './files.css';
import { plural, t } from '../words/index.js';

type Listing = Result<'files.list'>;
type Entry = Listing['entries'][number];

const visible: Readonly<Record<FileQuestion['accept'], readonly Entry['kind'][]>> = {
  photos: ['folder', 'photo'],
  folder: ['folder', 'photo'],
  project: ['folder', 'project'],
  save: ['folder', 'project'],
  file: ['folder', 'photo', 'project', 'file'],
};

/** Folders and files of the machine that the engine runs on; the last folder is remembered. */
export function FileDialog({ question: { title, accept, suggestion, answer } }: { question: FileQuestion }) {
  const [listing, setListing] = useState<Listing>();
  const [error, setError] = useState<string>();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [name, setName] = useState(suggestion ?? '');
  /**
   * What the folder's field says where that isn't the folder shown: a listing that arrives late takes nobody's typing
   * away.
   */
  const [typed, setTyped] = useState<string>();
  const [reading, setReading] = useState(false);
  const asked = useRef(0);

  /** Shows a folder, and gives its listing; nothing when it can't be read, or when another was asked for meanwhile. */
  const go = async (path?: string): Promise<Listing | undefined> => {
    const turn = ++asked.current;
    setReading(true);
    try {
      const next = await api.request('files.list', {
        ...(path === undefined ? {} : { path }),
        ...(accept === 'file' ? { all: true } : {}),
      });
      if (turn !== asked.current) return undefined;
      setListing(next);
      setTyped((now) => (now === path ? undefined : now));
      const file = next.entries.find((entry) => entry.path === next.file && visible[accept].includes(entry.kind));
      setChosen(file && accept !== 'save' && accept !== 'folder' ? [file.path] : []);
      if (file && accept === 'save') setName(file.name);
      setError(undefined);
      setReading(false);
      sessionStorage.setItem('folder', next.path);
      return next;
    } catch (problem) {
      if (turn !== asked.current) return undefined;
      setError((problem as Error).message);
      setReading(false);
      // The remembered folder may be gone.
      return listing === undefined && path !== undefined ? go() : undefined;
    }
  };
  useEffect(() => void go(sessionStorage.getItem('folder') ?? undefined), []); // eslint-disable-line react-hooks/exhaustive-deps

  const entries = listing?.entries.filter(({ kind }) => visible[accept].includes(kind)) ?? [];
  const resultIn = ({ path }: Listing): readonly string[] => {
    if (accept === 'folder') return [path];
    if (accept !== 'save') return chosen;
    const file = name.endsWith('.pointmap') ? name : `${name}.pointmap`;
    return name.trim() === '' ? [] : [`${path.replace(/[\\/]$/, '')}${path.includes('\\') ? '\\' : '/'}${file}`];
  };
  /** The photo that a range with Shift begins at. */
  const anchor = useRef<string>(undefined);
  const toggle = (path: string, range: boolean): void => {
    if (accept !== 'photos') return setChosen([path]);
    const photos = entries.filter(({ kind }) => kind === 'photo').map((entry) => entry.path);
    const from = anchor.current === undefined ? -1 : photos.indexOf(anchor.current);
    if (range && from >= 0) {
      const to = photos.indexOf(path);
      const between = photos.slice(Math.min(from, to), Math.max(from, to) + 1);
      return setChosen([...new Set([...chosen, ...between])]);
    }
    anchor.current = path;
    setChosen(chosen.includes(path) ? chosen.filter((each) => each !== path) : [...chosen, path]);
  };
  const enter = (path: string | undefined): void => {
    setTyped(undefined);
    void go(path);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void go(typed ?? listing?.path);
  };
  const takesOne = accept === 'project' || accept === 'file';
  /** Enter takes one file at once, and photos when the one that it is pressed on is chosen already. */
  const press = (event: KeyboardEvent, path: string, kind: Entry['kind']): void => {
    const takes = takesOne || (accept === 'photos' && chosen.includes(path));
    if (event.key !== 'Enter' || kind === 'folder' || !takes) return;
    event.preventDefault();
    answer(accept === 'photos' ? [...chosen] : [path]);
  };
  /** A folder typed without "Go" is meant too: what is saved goes where the field says, not where the list is. */
  const finish = async (): Promise<void> => {
    const shown = (accept === 'save' || accept === 'folder') && typed !== undefined ? await go(typed) : listing;
    if (shown) answer([...resultIn(shown)]);
  };
  const canFinish = listing !== undefined && !reading && resultIn(listing).length > 0;
  return (
    <Dialog
      title={title}
      onClose={() => answer([])}
      footer={
        <>
          {accept === 'photos' && (
            <Button onClick={() => setChosen(entries.filter(({ kind }) => kind === 'photo').map(({ path }) => path))}>
              {t('Choose all')}
            </Button>
          )}
          <Button onClick={() => answer([])}>{t('Cancel')}</Button>
          <Button
            look="primary"
            disabled={!canFinish}
            onClick={() => void finish()}
          >
            {verbOf(accept, chosen.length)}
          </Button>
        </>
      }
    >
      <div className="body files">
        <form
          className="row"
          onSubmit={submit}
        >
          <Button
            look="square"
            icon="up"
            aria-label={t('Folder above')}
            disabled={listing?.parent === undefined}
            onClick={() => enter(listing?.parent)}
          />
          <input
            className="input"
            aria-label={t('Folder')}
            value={typed ?? listing?.path ?? ''}
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
          <Button type="submit">{t('Go')}</Button>
        </form>
        <Places
          listing={listing}
          onEnter={enter}
          onError={setError}
        />
        {error !== undefined && (
          <p
            className="bad"
            role="alert"
          >
            {error}
          </p>
        )}
        <ul
          aria-label={t('Files')}
          aria-busy={reading}
        >
          {entries.map(({ name: entry, path, kind, bytes }) => (
            <li key={path}>
              <button
                type="button"
                aria-pressed={kind === 'folder' ? undefined : chosen.includes(path)}
                onClick={(event) => {
                  if (kind === 'folder') enter(path);
                  else if (accept === 'save') setName(entry);
                  else if (accept !== 'folder') toggle(path, event.shiftKey);
                }}
                onKeyDown={(event) => press(event, path, kind)}
                onDoubleClick={() => {
                  if (takesOne && kind !== 'folder') answer([path]);
                }}
                disabled={kind === 'photo' && accept === 'folder'}
              >
                {kind === 'photo' ? <Picture path={path} /> : <Icon name={kind === 'folder' ? 'folder' : 'file'} />}
                <span className="truncate">{entry}</span>
                {kind !== 'folder' && <span className="faint numeric">{bytesText(bytes)}</span>}
              </button>
            </li>
          ))}
          {listing && entries.length === 0 && (
            <li className="faint nothing">
              {accept === 'project' || accept === 'save' ? t('No projects here.') : t('No photos here.')}
            </li>
          )}
        </ul>
        {accept === 'save' && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (canFinish) void finish();
            }}
          >
            <TextField
              label={t('Name')}
              text={name}
              onChange={setName}
              autoFocus
            />
          </form>
        )}
      </div>
    </Dialog>
  );
}

/** What is in a photo; its sign until that is there, and where it can't be shown. Read once it is scrolled to. */
function Picture({ path }: { path: string }) {
  const [absent, setAbsent] = useState(false);
  if (absent) return <Icon name="photo" />;
  return (
    <img
      src={api.binaryUrl(`file-picture/${encodeURIComponent(path)}`)}
      alt=""
      loading="lazy"
      decoding="async"
      onError={() => setAbsent(true)}
    />
  );
}

function verbOf(accept: FileQuestion['accept'], count: number): string {
  switch (accept) {
    case 'save':
      return t('Save');
    case 'folder':
      return t('Choose this folder');
    case 'project':
      return t('Open');
    case 'file':
      return t('Choose this file');
    case 'photos':
      return count === 0 ? t('Add photos') : plural(count, 'Add {n} photo', 'Add {n} photos');
  }
}

/** Folders that are wanted often, and a new one in the folder that is shown. */
function Places({
  listing,
  onEnter,
  onError,
}: {
  listing: Listing | undefined;
  onEnter: (path: string) => void;
  onError: (message: string) => void;
}) {
  const [naming, setNaming] = useState(false);
  const make = async (name: string): Promise<void> => {
    try {
      const { path } = await api.request('files.makeFolder', { parent: listing!.path, name });
      setNaming(false);
      onEnter(path);
    } catch (problem) {
      onError((problem as Error).message);
    }
  };
  return (
    <div className="row places">
      {listing?.places.map(({ name, path }) => (
        <Button
          key={path}
          look="plain"
          onClick={() => onEnter(path)}
        >
          {t(name)}
        </Button>
      ))}
      {naming ? (
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault();
            void make(String(new FormData(event.currentTarget).get('folder')));
          }}
        >
          <input
            className="input"
            name="folder"
            aria-label={t('Name of the new folder')}
            autoFocus
          />
          <Button type="submit">{t('Make it')}</Button>
        </form>
      ) : (
        <Button
          look="plain"
          icon="plus"
          disabled={!listing}
          onClick={() => setNaming(true)}
        >
          {t('New folder')}
        </Button>
      )}
    </div>
  );
}
