import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { config } from 'zod';
import './design/tokens.css';
import './design/base.css';
import './shell/shell.css';
import { runCommand } from './commands/actions.js';
import { App } from './shell/App.js';
import { connect } from './store/connect.js';
import { studio } from './store/studio.js';

// Compiled schemas need eval, which the Content-Security-Policy forbids.
config({ jitless: true });
document.documentElement.dataset.theme = studio().theme;
connect(runCommand);
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
