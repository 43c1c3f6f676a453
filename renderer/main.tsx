import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { config } from 'zod';
import './design/tokens.css';
import './design/base.css';
import './shell/shell.css';
import { connect } from './store/connect.js';
import { studio } from './store/studio.js';
import { setWords } from './words/index.js';
import { catalogueOf, preferredLanguage } from './words/languages.js';

// Compiled schemas need eval, which the Content-Security-Policy forbids.
config({ jitless: true });
document.documentElement.dataset.theme = studio().theme;

/** Words first: some tables of texts are made as their modules are loaded. */
async function begin(): Promise<void> {
  const language = preferredLanguage();
  setWords(language, await catalogueOf(language));
  document.documentElement.lang = language;
  const [{ App }, { runCommand }, { answerVideoOrders }] = await Promise.all([
    import('./shell/App.js'),
    import('./commands/actions.js'),
    import('./videos/orders.js'),
  ]);
  connect(runCommand);
  answerVideoOrders();
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

void begin();
