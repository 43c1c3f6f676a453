import { openAliked } from '../../native-models/matching/aliked.js';
import { openLightGlue, type FeatureMatcher } from '../../native-models/matching/lightglue.js';
import { graphPath } from '../../native-models/network.js';
import { chooseProvider } from '../../native-models/providers.js';
import { installedModels } from '../../native-models/registry/folder.js';
import type { Matching, RunSettings } from '../contract/api.js';
import { UserError } from '../contract/errors.js';

/** Networks that each choice of matching needs: who finds the features (SIFT without), and who matches them. */
const NETWORKS: Record<Exclude<Matching, 'built-in'>, { finder?: string; matcher: string }> = {
  learned: { matcher: 'sift-lightglue' },
  'aliked-n16rot': { finder: 'aliked-n16rot', matcher: 'aliked-lightglue' },
  'aliked-n32': { finder: 'aliked-n32', matcher: 'aliked-lightglue' },
};

/**
 * The learned matcher that the settings ask for; undefined for the built-in one.
 *
 * @throws UserError 'not-found' naming every network that is not installed
 */
export async function chosenMatcher(
  { matching, provider }: RunSettings,
  onNote: (message: string) => void,
  threads?: number,
): Promise<FeatureMatcher | undefined> {
  if (matching === 'built-in') return undefined;
  const { finder, matcher } = NETWORKS[matching];
  const installed = await installedModels();
  const names = finder ? [finder, matcher] : [matcher];
  const missing = names.filter((name) => !installed.some(({ card }) => card.id === name));
  if (missing.length > 0)
    throw new UserError(
      'not-found',
      `what learned matching needs is not installed; add it with: ${missing.map((name) => `pointmap models add ${name}`).join(' && ')}, or choose the built-in matching`,
    );
  const chosen = await chooseProvider(provider, onNote);
  const place = (name: string) => {
    const { card, folder } = installed.find((model) => model.card.id === name)!;
    return [graphPath(folder, 'float32', 'graph'), `${card.id}/${card.version}`, chosen, threads] as const;
  };
  const opened = finder ? await openAliked(...place(finder)) : undefined;
  return openLightGlue(...place(matcher), undefined, opened);
}
