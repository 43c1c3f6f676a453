import { Command } from 'cmdk';
import { useEffect, useRef } from 'react';
import { commandIds, commands } from '../../electron/contract/commands.js';
import { setStudio, useStudio } from '../store/studio.js';
import { canRun, runCommand } from './actions.js';
import { keysText } from './keys.js';
import { stem } from '../design/format.js';
import { t } from '../words/index.js';

const close = (): void => setStudio({ dialog: undefined });

/** Every command by name, and every photo. */
export function Palette() {
  const photos = useStudio(({ project }) => project?.photos);
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!element.current!.open) element.current!.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      className="dialog palette"
      aria-label={t('Command palette')}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => {
        if (event.target === element.current) close();
      }}
    >
      <Command
        label={t('Command palette')}
        loop
      >
        <Command.Input
          autoFocus
          placeholder={t('What would you like to do?')}
          className="input"
        />
        <Command.List>
          <Command.Empty>{t('Nothing has that name.')}</Command.Empty>
          <Command.Group heading={t('Commands')}>
            {commandIds
              .filter((id) => id !== 'help.palette' && canRun(id))
              .map((id) => (
                <Command.Item
                  key={id}
                  value={`${commands[id].title} ${commands[id].menu}`}
                  onSelect={() => {
                    close();
                    runCommand(id);
                  }}
                >
                  <span>{commands[id].title}</span>
                  <kbd>{keysText(id)}</kbd>
                </Command.Item>
              ))}
          </Command.Group>
          {photos && photos.length > 0 && (
            <Command.Group heading={t('Photos')}>
              {photos.slice(0, 500).map(({ id, name }) => (
                <Command.Item
                  key={id}
                  value={`photo ${name}`}
                  onSelect={() => {
                    close();
                    setStudio({ selectedPhotos: [id] });
                  }}
                >
                  {stem(name)}
                </Command.Item>
              ))}
            </Command.Group>
          )}
        </Command.List>
      </Command>
    </dialog>
  );
}
