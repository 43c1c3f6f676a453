import type { ReactNode } from 'react';
import { commands, type CommandId } from '../../electron/contract/commands.js';
import { Button, type ButtonProps } from '../design/controls.js';
import type { IconName } from '../design/icons.js';
import { useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { canRun, runCommand } from './actions.js';
import { keysText } from './keys.js';

/** A button of the command table: its title, its keys in the tooltip, enabled when the command can be run. */
export function CommandButton({
  id,
  icon,
  look,
  children,
  word,
  pressed,
  step,
}: {
  id: CommandId;
  icon?: IconName;
  look?: ButtonProps['look'];
  children?: ReactNode;
  /** Shown beside the icon where there is room. */
  word?: string;
  pressed?: boolean;
  /** What it is about at present, told in the tooltip. */
  step?: string | undefined;
}) {
  const possible = useStudio(() => canRun(id));
  const title = t(commands[id].title);
  const keys = keysText(id);
  const told = step === undefined ? title : t('{command}: {step}', { command: title, step });
  return (
    <Button
      look={look}
      icon={icon}
      disabled={!possible}
      aria-pressed={pressed}
      aria-label={children === undefined ? title : undefined}
      title={keys ? `${told} (${keys})` : told}
      onClick={() => runCommand(id)}
    >
      {children}
      {word !== undefined && <span className="word">{word}</span>}
    </Button>
  );
}
