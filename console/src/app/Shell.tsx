/** What stands around every page: top bar, side navigation, breadcrumbs, messages, command palette. */
import AppLayout from '@cloudscape-design/components/app-layout';
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import Flashbar from '@cloudscape-design/components/flashbar';
import SideNavigation, { type SideNavigationProps } from '@cloudscape-design/components/side-navigation';
import TopNavigation from '@cloudscape-design/components/top-navigation';
import { Component, type ComponentType, type LazyExoticComponent, type ReactNode, Suspense, lazy, useEffect, useMemo, useState } from 'react';

import { asAwsError } from '../aws/error';
import { type Session, endSession } from '../aws/session';
import type { PageProps, PageRow } from '../lib/area';
import { Frame } from '../lib/frame';
import { shortName } from '../lib/format';
import { dismiss, useNotes } from '../lib/notify';
import { to, usePlace } from '../lib/router';
import { Empty, ErrorBox, Loading } from '../lib/states';
import { prefer, preference, useDark } from '../lib/theme';
import { LOGO } from './Logo';
import { Palette } from './Palette';
import { AREAS, type Route, crumbs, fill, findRoute } from './registry';

const pages = new Map<PageRow, LazyExoticComponent<ComponentType<PageProps>>>();

function componentOf(page: PageRow): LazyExoticComponent<ComponentType<PageProps>> {
  const known = pages.get(page) ?? lazy(page.load);
  pages.set(page, known);
  return known;
}

export function Shell({ session }: { session: Session }) {
  const { path } = usePlace();
  const route = useMemo(() => findRoute(path), [path]);
  const [palette, setPalette] = useState(false);
  const [open, setOpen] = useState(() => innerWidth > 900);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setPalette((shown) => !shown);
      }
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  return (
    <>
      <div id="bh-top">
        <TopBar session={session} onPalette={() => setPalette(true)} />
      </div>
      <AppLayout
        headerSelector="#bh-top"
        toolsHide
        maxContentWidth={route?.page.wide ? Number.MAX_VALUE : 1600}
        navigationOpen={open}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        navigation={<Navigation route={route} />}
        navigationWidth={230}
        ariaLabels={{ navigation: 'Areas', navigationToggle: 'Show areas', navigationClose: 'Hide areas', notifications: 'Messages' }}
        breadcrumbs={
          route && route.page.path !== '/' ? (
            <BreadcrumbGroup items={crumbs(route)} ariaLabel="Breadcrumbs" />
          ) : undefined
        }
        notifications={<Notes />}
        content={<Page route={route} path={path} />}
      />
      {palette && <Palette onClose={() => setPalette(false)} />}
    </>
  );
}

function TopBar({ session, onPalette }: { session: Session; onPalette: () => void }) {
  const dark = useDark();
  const name = session.arn.endsWith(':root') ? 'root' : shortName(session.arn);
  return (
    <TopNavigation
      identity={{ href: to('/'), title: 'Boathouse', logo: { src: LOGO, alt: '' } }}
      utilities={[
        { type: 'button', text: 'Find', iconName: 'search', title: 'Find anything (Ctrl-K)', ariaLabel: 'Find anything', onClick: onPalette },
        {
          type: 'menu-dropdown',
          iconName: 'settings',
          ariaLabel: 'Appearance',
          title: 'Appearance',
          items: (['system', 'light', 'dark'] as const).map((id) => ({
            id,
            text: { system: 'As the system', light: 'Light', dark: 'Dark' }[id],
            disabled: preference() === id && (id !== 'system') && dark === (id === 'dark'),
          })),
          onItemClick: ({ detail }) => prefer(detail.id as 'system' | 'light' | 'dark'),
        },
        {
          type: 'menu-dropdown',
          text: name,
          description: session.arn,
          iconName: 'user-profile',
          items: [
            { id: 'account', text: `Account ${session.account}`, disabled: true },
            { id: 'region', text: `Region ${session.region}`, disabled: true },
            { id: 'logout', text: 'Sign out' },
          ],
          onItemClick: ({ detail }) => {
            if (detail.id === 'logout') endSession('logout');
          },
        },
      ]}
    />
  );
}

/** An area with one page is a link, others are sections. */
function Navigation({ route }: { route: Route | undefined }) {
  const items = AREAS.map((area): SideNavigationProps.Item => {
    const shown = area.pages.filter((page) => page.nav);
    const links = shown.map((page): SideNavigationProps.Link => ({ type: 'link', text: page.title, href: to(page.path) }));
    const [only] = links;
    return links.length === 1 && only
      ? { ...only, text: area.title }
      : { type: 'section', text: area.title, items: links };
  });
  return <SideNavigation activeHref={activeHref(route)} items={items} />;
}

function activeHref(route: Route | undefined): string {
  if (!route) return '';
  const trail = crumbs(route).map((crumb) => crumb.href);
  const shown = route.area.pages.filter((page) => page.nav).map((page) => to(fill(page.path, {})));
  return trail.reverse().find((href) => shown.includes(href)) ?? shown[0] ?? '';
}

function Notes() {
  const notes = useNotes();
  if (notes.length === 0) return null;
  return (
    <Flashbar
      items={notes.map(({ id, type, header, content }) => ({
        id: String(id),
        type: type === 'in-progress' ? 'in-progress' : type,
        header,
        content,
        dismissible: true,
        dismissLabel: 'Dismiss',
        onDismiss: () => dismiss(id),
      }))}
    />
  );
}

function Page({ route, path }: { route: Route | undefined; path: string }) {
  if (!route) {
    return (
      <Frame title="There is no such page">
        <Empty title={path}>The console has nothing at this address. Ctrl-K finds whatever there is.</Empty>
      </Frame>
    );
  }
  const Content = componentOf(route.page);
  return (
    <Guard key={path}>
      <Suspense fallback={<Loading />}>
        <Content params={route.params} />
      </Suspense>
    </Guard>
  );
}

/** A page that fails leaves the others alone. */
class Guard extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <Frame title="This page does not work">
        <ErrorBox error={asAwsError(this.state.error)} what="An error in the console itself" onRetry={() => location.reload()} />
      </Frame>
    );
  }
}
