import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Result } from '../../electron/contract/api.js';
import { Button, Dialog, Field } from '../design/controls.js';
import { Icon } from '../design/icons.js';
import { bytesText } from '../design/format.js';
import type { FileQuestion } from '../store/studio.js';
import { api } from '../transport/index.js';
import './files.css';
import { t } from '../words/index.js';

type Listing = Result<'files.list'>;

const visible: Readonly<Record<FileQuestion['accept'], readonly Listing['entries'][number]['kind'][]>> = {
  photos: ['folder', 'photo'],
  folder: ['folder', 'photo'],
  project: ['folder', 'project'],
  save: ['folder', 'project'],
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
      const next = await api.request('files.list', path === undefined ? {} : { path });
      if (turn !== asked.current) return undefined;
      setListing(next);
      setTyped((now) => (now === path ? undefined : now));
      setChosen([]);
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
  const toggle = (path: string): void =>
    setChosen(
      accept === 'photos'
        ? chosen.includes(path)
          ? chosen.filter((each) => each !== path)
          : [...chosen, path]
        : [path],
    );
  const enter = (path: string | undefined): void => {
    setTyped(undefined);
    void go(path);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void go(typed ?? listing?.path);
  };
  /** A folder typed without "Go" is meant too: what is saved goes where the field says, not where the list is. */
  const finish = async (): Promise<void> => {
    const shown = (accept === 'save' || accept === 'folder') && typed !== undefined ? await go(typed) : listing;
    if (shown) answer([...resultIn(shown)]);
  };
  const verb =
    accept === 'save'
      ? 'Save'
      : accept === 'folder'
        ? 'Choose this folder'
        : accept === 'project'
          ? 'Open'
          : `Add ${chosen.length || ''} ${chosen.length === 1 ? 'photo' : 'photos'}`;
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
            disabled={!listing || reading || resultIn(listing).length === 0}
            onClick={() => void finish()}
          >
            {verb}
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
                onClick={() =>
                  kind === 'folder'
                    ? enter(path)
                    : accept === 'save'
                      ? setName(entry)
                      : accept === 'folder'
                        ? undefined
                        : toggle(path)
                }
                onDoubleClick={() => {
                  if (kind === 'project' && accept === 'project') answer([path]);
                }}
                disabled={kind === 'photo' && accept === 'folder'}
              >
                <Icon name={kind === 'folder' ? 'folder' : kind === 'photo' ? 'photo' : 'file'} />
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
          <Field label={t('Name')}>
            {(id) => (
              <input
                id={id}
                className="input"
                value={name}
                onChange={(event) => setName(event.target.value)}
                autoFocus
              />
            )}
          </Field>
        )}
      </div>
    </Dialog>
  );
}
