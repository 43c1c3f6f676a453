import { t } from './index.js';

/** The name of a step of undo in the chosen language; as it is where it has a name of its own. */
export const stepText = (title: string | undefined): string | undefined =>
  title
    ?.split(', ')
    .map((each) => {
      const number = /\d+/.exec(each)?.[0];
      return number === undefined ? t(each) : t(each.replace(number, '{n}'), { n: Number(number) });
    })
    .join(', ');
