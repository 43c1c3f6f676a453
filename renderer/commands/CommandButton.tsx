import type { ReactNode } from 'react';
import { commands, type CommandId } from '../../electron/contract/commands.js';
import { Button, type ButtonProps } from '../design/controls.js';
import type { IconName } from '../design/icons.js';
import { useStudio } from '../store/studio.js';
import { canRun, runCommand } from './actions.js';
import { keysText } from './keys.js';

/** A button of the command table: its title, its keys in the tooltip, enabled when the command can be run. */
export function CommandButton({
  id,
  icon,
  look,
  children,
  pressed,
}: {
  id: CommandId;
  icon?: IconName;
  look?: ButtonProps['look'];
  children?: ReactNode;
  pressed?: boolean;
}) {
  const possible = useStudio(() => canRun(id));
  const { title } = commands[id];
  const keys = keysText(id);
  return (
    <Button
      look={look}
      icon={icon}
      disabled={!possible}
      aria-pressed={pressed}
      aria-label={children === undefined ? title : undefined}
      title={keys ? `${title} (${keys})` : title}
      onClick={() => runCommand(id)}
    >
      {children}
    </Button>
  );
}
