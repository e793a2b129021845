/** Where people sign in: by an access key, or by a one-time link that brought them here. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type FormEvent, useEffect, useRef, useState } from 'react';

import { type AwsError, asAwsError } from '../aws/error';
import { signInWithKey, signInWithLink } from '../aws/login';
import { BASE, to, usePlace } from '../lib/router';
import { Loading } from '../lib/states';
import { Logo } from './Logo';

const REASONS: Record<string, string> = {
  idle: 'You were signed out after half an hour without a key or pointer touched.',
  expired: 'Your session has ended. Sign in to go on where you were.',
  logout: 'You have signed out.',
};

/** Where to go then: a page of this console, whatever the address says. */
export function returnPath(wanted: string | null): string {
  return wanted && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith('/login') ? wanted : '/';
}

/** Takes the link's token out of the address, so that it stays in no history. */
function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('link') ?? undefined;
  if (token) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

export function Login() {
  const { query } = usePlace();
  const [keyId, setKeyId] = useState('');
  const [secret, setSecret] = useState('');
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const [linked, setLinked] = useState(() => location.hash.includes('link='));
  const used = useRef(false);

  const enter = async (how: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      // Who is in is led on by the app.
      await how();
    } catch (failed) {
      setError(asAwsError(failed));
      setLinked(false);
    } finally {
      setBusy(false);
    }
  };

  const byLink = () => {
    const link = takeToken();
    if (!link) return;
    setLinked(true);
    void enter(() => signInWithLink(link));
  };

  useEffect(() => {
    document.title = 'Sign in · Boathouse';
    // A link may be used once only, and effects may run twice.
    if (!used.current) {
      used.current = true;
      byLink();
    }
    addEventListener('hashchange', byLink);
    return () => removeEventListener('hashchange', byLink);
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const credentials = { accessKeyId: keyId.trim(), secretAccessKey: secret.trim() };
    const session = token.trim();
    setSecret('');
    void enter(() => signInWithKey(session ? { ...credentials, sessionToken: session } : credentials));
  };

  const reason = REASONS[query.get('reason') ?? ''];
  return (
    <main className="bh-login">
      <div className="bh-login-box">
        <SpaceBetween size="l">
          <div className="bh-login-brand">
            <Logo size={44} />
            <Box variant="h1" tagOverride="p" fontSize="heading-xl">
              Boathouse
            </Box>
          </div>
          {reason && !error && !linked && <Alert type="info">{reason}</Alert>}
          {error && (
            <Alert type="error" header={headline(error)}>
              {error.message}
            </Alert>
          )}
          {linked ? (
            <Loading text="Signing in with your link" />
          ) : (
            <form onSubmit={submit}>
              <Container header={<Header variant="h1">Sign in</Header>}>
                <Form
                  actions={
                    <Button variant="primary" formAction="submit" loading={busy} disabled={!keyId.trim() || !secret.trim()}>
                      Sign in
                    </Button>
                  }
                >
                  <SpaceBetween size="m">
                    <FormField label="Access key ID">
                      <Input value={keyId} onChange={({ detail }) => setKeyId(detail.value)} autoComplete="username" spellcheck={false} autoFocus />
                    </FormField>
                    <FormField
                      label="Secret access key"
                      constraintText="It signs one request in this browser and is forgotten; the server hands out short-lived keys."
                    >
                      <Input type="password" value={secret} onChange={({ detail }) => setSecret(detail.value)} autoComplete="current-password" />
                    </FormField>
                    <ExpandableSection headerText="I have temporary credentials">
                      <FormField label="Session token">
                        <Input type="password" value={token} onChange={({ detail }) => setToken(detail.value)} autoComplete="off" />
                      </FormField>
                    </ExpandableSection>
                  </SpaceBetween>
                </Form>
              </Container>
            </form>
          )}
          <Box color="text-body-secondary" fontSize="body-s">
            <code>boathouse serve</code> and <code>boathouse demo --keep</code> print a link that signs you in once.{' '}
            <code>boathouse credentials</code> prints root's access key.
          </Box>
        </SpaceBetween>
      </div>
    </main>
  );
}

function headline(error: AwsError): string {
  if (error.code === 'InvalidLinkException') return 'This link does not work any more';
  if (error.code === 'NetworkError') return 'The server does not answer';
  return error.status === 403 || error.status === 400 ? 'These credentials are not right' : error.code;
}

/** The login page's address, from which people come back to where they are now. */
export function loginHref(reason?: string): string {
  const here = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) + location.search : '/';
  const back = returnPath(here);
  return to('/login', { return: back === '/' ? undefined : back, reason });
}
