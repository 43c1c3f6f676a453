import { commandIds, commands } from '../../electron/contract/commands.js';
import { Dialog } from '../design/controls.js';
import { setStudio } from '../store/studio.js';
import { keysText } from './keys.js';
import { t } from '../words/index.js';

export function Shortcuts() {
  const menus = [...new Set(commandIds.map((id) => commands[id].menu))];
  return (
    <Dialog
      title={t('Keyboard shortcuts')}
      onClose={() => setStudio({ dialog: undefined })}
    >
      <div
        className="body shortcuts"
        tabIndex={0}
        role="group"
        aria-label={t('All shortcuts')}
      >
        {menus.map((menu) => (
          <section key={menu}>
            <h3 className="quiet">{menu}</h3>
            <ul>
              {commandIds
                .filter((id) => commands[id].menu === menu && keysText(id))
                .map((id) => (
                  <li
                    key={id}
                    className="spread"
                  >
                    <span>{commands[id].title}</span>
                    <kbd>{keysText(id)}</kbd>
                  </li>
                ))}
            </ul>
          </section>
        ))}
        <section>
          <h3 className="quiet">{t('In the cloud')}</h3>
          <ul>
            <li className="spread">
              <span>{t('Turn, pan, zoom')}</span>
              <kbd>{t('drag, right drag, wheel')}</kbd>
            </li>
            <li className="spread">
              <span>{t('Turn, pan, zoom by key')}</span>
              <kbd>{t('arrows, Shift arrows, + -')}</kbd>
            </li>
            <li className="spread">
              <span>{t('Turn about a point')}</span>
              <kbd>{t('double click')}</kbd>
            </li>
            <li className="spread">
              <span>{t('Fly: move, up, down')}</span>
              <kbd>W A S D, E, Q</kbd>
            </li>
            <li className="spread">
              <span>{t('Leave the camera looked through')}</span>
              <kbd>{t('Escape')}</kbd>
            </li>
          </ul>
        </section>
      </div>
    </Dialog>
  );
}
