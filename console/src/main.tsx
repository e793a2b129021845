/** Where the console starts. */
import '@cloudscape-design/global-styles/index.css';
import I18nProvider from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app/App';
import './app/app.css';
import { startBrand } from './app/brand';
import { startRouter } from './lib/router';
import { startTheme } from './lib/theme';

startTheme();
startBrand();
startRouter();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <I18nProvider locale="en" messages={[messages]}>
        <App />
      </I18nProvider>
    </StrictMode>,
  );
}

// A page of an earlier version asks for parts that a new one no longer has: reading the page anew gets the new one.
addEventListener('vite:preloadError', (event) => {
  event.preventDefault();
  location.reload();
});
