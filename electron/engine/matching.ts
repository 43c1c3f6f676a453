import { openLightGlue, type FeatureMatcher } from '../../native-models/matching/lightglue.js';
import { graphPath } from '../../native-models/network.js';
import { chooseProvider } from '../../native-models/providers.js';
import { installedModels } from '../../native-models/registry/folder.js';
import type { RunSettings } from '../contract/api.js';
import { UserError } from '../contract/errors.js';

/** The published name of the matcher that fits the studio's own features. */
export const LEARNED_MATCHER = 'sift-lightglue';

/**
 * The learned matcher that the settings ask for; undefined for the built-in one.
 *
 * @throws UserError 'not-found' where it is not installed
 */
export async function chosenMatcher(
  { matching, provider }: RunSettings,
  onNote: (message: string) => void,
  threads?: number,
): Promise<FeatureMatcher | undefined> {
  if (matching !== 'learned') return undefined;
  const model = (await installedModels()).find(({ card }) => card.id === LEARNED_MATCHER);
  if (!model)
    throw new UserError(
      'not-found',
      `the learned matcher is not installed; add it with: pointmap models add ${LEARNED_MATCHER}, or choose the built-in one`,
    );
  const { id, version } = model.card;
  const chosen = await chooseProvider(provider, onNote);
  return openLightGlue(graphPath(model.folder, 'float32', 'graph'), `${id}/${version}`, chosen, threads);
}
