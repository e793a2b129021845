/** Who is signed in sees the console, others the login page. */
import { useEffect, useSyncExternalStore } from 'react';

import { renewSession } from '../aws/login';
import { currentSession, onSession, watchSession } from '../aws/session';
import { navigate, usePlace } from '../lib/router';
import { Login, loginHref, returnPath } from './Login';
import { Shell } from './Shell';

export function App() {
  const session = useSyncExternalStore(onSession, currentSession);
  const { path, query } = usePlace();
  useEffect(() => watchSession(renewSession), []);
  useEffect(
    () =>
      onSession((now, reason) => {
        if (!now) navigate(loginHref(reason), { replace: true });
      }),
    [],
  );
  useEffect(() => {
    if (!session && path !== '/login') navigate(loginHref(), { replace: true });
    if (session && path === '/login' && !location.hash.includes('link=')) {
      navigate(`/_console${returnPath(query.get('return'))}`, { replace: true });
    }
  }, [session, path, query]);
  if (path === '/login') return <Login />;
  return session ? <Shell session={session} /> : null;
}
